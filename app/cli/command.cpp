#include "app/cli/command.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <cstdio>

#include "nodes/core/json_text.h"

namespace app {

void register_all();  // written by the build

namespace {

std::vector<Command>& registry() {
    static std::vector<Command> instance;
    return instance;
}

std::size_t width_of(const std::string& text) {  // characters, not bytes
    return static_cast<std::size_t>(std::ranges::count_if(text, [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

void add_command(Command command) { registry().push_back(std::move(command)); }

const std::vector<Command>& commands() {
    static const bool once = [] {
        register_all();
        std::ranges::sort(registry(), {}, &Command::name);
        return true;
    }();
    (void)once;
    return registry();
}

std::string command_help(const Command& command) {
    std::string text = "Usage: heddle " + command.name + (command.options.empty() ? "" : " [OPTION]...");
    if (!command.arguments.empty()) text += " " + command.arguments;
    text += "\n\n" + command.summary + ".\n";
    if (!command.help.empty()) text += "\n" + command.help + "\n";
    std::vector<std::vector<std::string>> rows;
    for (const Option& option : command.options)
        rows.push_back({"  " + (option.shorthand.empty() ? "" : option.shorthand + ", ") + option.name +
                            (option.value.empty() ? "" : " " + option.value),
                        option.help + (option.repeats ? " (may be repeated)" : "")});
    rows.push_back({"  --help", "Print this text"});
    return text + "\nOptions:\n" + table_text(rows);
}

void print_line(const std::string& text) { std::fprintf(stdout, "%s\n", text.c_str()); }

void print_json(const QJsonValue& value) { print_line(nodes::canonical_json(value).toStdString()); }

void print_json_line(const QJsonValue& value) {
    const QByteArray text = value.isArray() ? QJsonDocument(value.toArray()).toJson(QJsonDocument::Compact)
                                            : QJsonDocument(value.toObject()).toJson(QJsonDocument::Compact);
    std::fprintf(stdout, "%s\n", text.constData());
    std::fflush(stdout);
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths.resize(std::max(widths.size(), i + 1));
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += row[i] + (i + 1 < row.size() ? std::string(widths[i] - width_of(row[i]) + 2, ' ') : "");
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string bytes_text(std::uint64_t bytes) {
    const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    int unit = 0;
    while (value >= 1024 && unit < 4) value /= 1024, ++unit;
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

}  // namespace app
