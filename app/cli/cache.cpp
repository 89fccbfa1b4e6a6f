// heddle cache: what earlier runs left to be used again.
#include <QJsonArray>
#include <QJsonObject>
#include <algorithm>
#include <utility>

#include "app/build_stamp.h"
#include "app/cli/cache_option.h"
#include "gpu/base/error.h"
#include "gpu/base/switches.h"

namespace app {
namespace {

// "3 min"
std::string age_text(std::int64_t seconds) {
    constexpr std::pair<std::int64_t, const char*> units[]{{86400, "days"}, {3600, "h"}, {60, "min"}};
    for (const auto& [length, name] : units)
        if (seconds >= 2 * length) return gpu::format("{} {}", seconds / length, name);
    return gpu::format("{} s", std::max<std::int64_t>(seconds, 0));
}

void print_entries(const std::vector<nodes::DiskCache::Entry>& entries) {
    std::vector<std::vector<std::string>> rows{{"USED AGO", "SIZE", "HOLDS", "FILE"}};
    for (const auto& entry : entries) rows.push_back({age_text(entry.used_ago), bytes_text(entry.bytes), entry.holds.empty() ? "(damaged)" : entry.holds, entry.file});
    std::string table = table_text(rows);
    table.pop_back();
    print_line(table);
}

QJsonArray entries_json(const std::vector<nodes::DiskCache::Entry>& entries) {
    QJsonArray list;
    for (const auto& entry : entries)
        list.append(QJsonObject{{"file", QString::fromStdString(entry.file)},
                                {"holds", QString::fromStdString(entry.holds)},
                           {"bytes", static_cast<qint64>(entry.bytes)},
                                {"used_ago", static_cast<qint64>(entry.used_ago)}});
    return list;
}

int show_cache(const Arguments& arguments) {
    const auto place = cache_place(arguments);
    gpu::check(place.has_value(), gpu::ErrorCode::Usage, "cache: expected a folder for results, HEDDLE_CACHE_BUDGET is 0");
    nodes::DiskCache cache(*place);
    nodes::DiskCache::Stats removed;
    if (arguments.has("--clear")) removed = cache.trim(0);
    if (const auto bytes = arguments.value("--trim")) removed = cache.trim(gpu::parse_bytes(*bytes, "--trim"));
    const nodes::DiskCache::Stats now = cache.stats();
    if (arguments.has("--json")) {
        QJsonObject shown{{"folder", QString::fromStdString(place->folder)},
                          {"results", static_cast<qint64>(now.files)},
                          {"bytes", static_cast<qint64>(now.bytes)},
                          {"budget", static_cast<qint64>(place->budget)},
                          {"removed", static_cast<qint64>(removed.files)}};
        if (arguments.has("--list")) shown["entries"] = entries_json(cache.list());
        print_json(shown);
        return 0;
    }
    if (arguments.has("--list") && now.files > 0) print_entries(cache.list());
    print_line(gpu::format("{}: {} results, {} of {}", place->folder, now.files, bytes_text(now.bytes), bytes_text(place->budget)));
    if (removed.files > 0) print_line(gpu::format("removed {} results, {}", removed.files, bytes_text(removed.bytes)));
    return 0;
}

}  // namespace

std::optional<nodes::DiskCache::Place> cache_place(const Arguments& arguments) {
    auto place = nodes::DiskCache::usual(heddle_build_stamp);
    if (const auto folder = arguments.value("--cache"); folder && place) place->folder = *folder;
    return place;
}

REGISTER_COMMAND(cache,
                 {.name = "cache",
                  .arguments = "",
                  .summary = "Lists, trims or empties the folder of finished results",
                  .help = "Results of nodes are kept between runs, by what they were computed from, within HEDDLE_CACHE_BUDGET\n"
                          "bytes; those that were used least recently go first. Everything in the folder can be computed again.",
                  .options = {cache_option,
                              {"--list", "", "Each result: when it was used last, its size, and what it holds"},
                              {"--clear", "", "Remove all results"},
                              {"--trim", "BYTES", "Remove the least recently used ones until this much is left, such as 500M"},
                              json_option},
                  .run = show_cache})

}  // namespace app
