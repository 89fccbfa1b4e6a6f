#include "nodes/types/text.h"

#include <QString>
#include <QStringList>

namespace nodes {

std::vector<std::string> text_lines(const std::string& text) {
    std::vector<std::string> lines;
    for (const QString& line : QString::fromStdString(text).split('\n'))
        if (const QString kept = line.trimmed(); !kept.isEmpty()) lines.push_back(kept.toStdString());
    return lines;
}

}  // namespace nodes
