// heddle merge: two edits of one graph become one.
#include <QJsonArray>

#include "app/cli/command.h"
#include "gpu/base/format.h"
#include "nodes/core/merge.h"

namespace app {
namespace {

QJsonArray conflicts_json(const std::vector<nodes::MergeConflict>& conflicts) {
    QJsonArray list;
    for (const nodes::MergeConflict& conflict : conflicts)
        list.append(QJsonObject{{"where", QString::fromStdString(conflict.where)}, {"base", conflict.base}, {"ours", conflict.ours}, {"theirs", conflict.theirs}});
    return list;
}

int merge(const Arguments& arguments) {
    arguments.expect_count(3, 3, "BASE, OURS and THEIRS");
    const auto& paths = arguments.positionals();
    const nodes::Merged merged = nodes::merge(nodes::Document::load(paths[0]), nodes::Document::load(paths[1]), nodes::Document::load(paths[2]));
    const auto output = arguments.value("--output");
    if (output) merged.document.save(*output);
    if (arguments.has("--json"))
        print_json(QJsonObject{{"conflicts", conflicts_json(merged.conflicts)}, {"output", output ? QJsonValue(QString::fromStdString(*output)) : QJsonValue()}});
    else if (!output)
        print_line(merged.document.to_json().trimmed().toStdString());
    for (const nodes::MergeConflict& conflict : merged.conflicts) std::fprintf(stderr, "conflict: %s\n", conflict.text().c_str());
    return merged.conflicts.empty() ? 0 : 1;
}

}  // namespace

REGISTER_COMMAND(merge, {.name = "merge",
                         .arguments = "BASE OURS THEIRS",
                         .summary = "Merges two edits of one graph",
                         .help = "Each parameter, link and node is taken from the side that changed it. Where both changed\n"
                                 "the same one, ours stays, the conflict is named, and the exit status is 1. As a merge\n"
                                 "driver of git:\n"
                                 "  git config merge.heddle.driver 'heddle merge %O %A %B -o %A'\n"
                                 "  echo '*.heddle merge=heddle' >> .gitattributes",
                         .options = {json_option, {"--output", "FILE", "Where the result goes; else to stdout", "-o"}},
                         .run = merge})

}  // namespace app
