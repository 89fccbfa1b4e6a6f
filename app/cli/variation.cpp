#include "app/cli/variation.h"

#include <QFile>
#include <QString>
#include <cmath>

#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

constexpr std::size_t most_cells = 100000;

std::vector<std::string> lines_of(const std::string& path) {
    QFile file(QString::fromStdString(path));
    if (!file.open(QIODevice::ReadOnly)) throw Error(ErrorCode::MissingFile, "expected a file of values, there is no {}", path);
    std::vector<std::string> lines;
    for (const QByteArray& line : file.readAll().split('\n'))
        if (const QByteArray text = line.trimmed(); !text.isEmpty()) lines.push_back(text.toStdString());
    return lines;
}

std::vector<std::string> listed(const std::string& text) {
    std::vector<std::string> values(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',')
            values.back() += text[++i];
        else if (text[i] == ',')
            values.emplace_back();
        else
            values.back() += text[i];
    }
    return values;
}

// FIRST:LAST:COUNT, or nothing where the text is no such thing.
std::vector<std::string> spaced(const std::string& text) {
    const QStringList parts = QString::fromStdString(text).split(':');
    if (parts.size() != 3) return {};
    bool ok[3] = {};
    const double first = parts[0].toDouble(&ok[0]), last = parts[1].toDouble(&ok[1]);
    const int count = parts[2].toInt(&ok[2]);
    if (!ok[0] || !ok[1] || !ok[2]) return {};
    gpu::check(count >= 1 && count <= static_cast<int>(most_cells), ErrorCode::Usage, "expected a count from 1 to {}, got {}", most_cells, count);
    std::vector<std::string> values;
    for (int i = 0; i < count; ++i) {
        const double value = count == 1 ? first : first + (last - first) * i / (count - 1);
        values.push_back(QString::number(value, 'g', 10).toStdString());
    }
    return values;
}

}  // namespace

Variation parse_variation(const std::string& text) {
    const auto equals = text.find('='), dot = text.find('.');
    gpu::check(equals != std::string::npos && dot < equals, ErrorCode::Usage, "expected NODE.param=VALUES, got '{}'", text);
    Variation variation{text.substr(0, equals), {}};
    const std::string values = text.substr(equals + 1);
    if (values.starts_with('@'))
        variation.values = lines_of(values.substr(1));
    else if (variation.values = spaced(values); variation.values.empty())
        variation.values = listed(values);
    gpu::check(!variation.values.empty(), ErrorCode::Usage, "expected values for {}, got none", variation.param);
    return variation;
}

std::vector<std::vector<std::size_t>> combinations(const std::vector<Variation>& variations) {
    std::vector<std::vector<std::size_t>> cells{{}};
    for (const Variation& variation : variations) {
        std::vector<std::vector<std::size_t>> longer;
        gpu::check(cells.size() * variation.values.size() <= most_cells, ErrorCode::Usage, "expected at most {} cells in all", most_cells);
        for (const auto& cell : cells)
            for (std::size_t i = 0; i < variation.values.size(); ++i) {
                longer.push_back(cell);
                longer.back().push_back(i);
            }
        cells = std::move(longer);
    }
    return cells;
}

}  // namespace app
