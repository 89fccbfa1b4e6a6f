// Commands of the headless runner. One command is one file:
//
//     namespace app {
//     namespace {
//     int list_devices(const Arguments& arguments) { ... return 0; }
//     }
//     REGISTER_COMMAND(devices, {.name = "devices", .summary = "Lists Vulkan devices", .options = {json_option},
//                                .run = list_devices})
//     }  // namespace app
//
// The build collects these lines (packaging/cmake/generate.cmake); nothing else names a command.
#pragma once

#include <QJsonValue>
#include <functional>
#include <string>
#include <vector>

#include "app/cli/arguments.h"

namespace app {

struct Command {
    std::string name;
    std::string arguments;  // "GRAPH", as the help shows them
    std::string summary;    // one line
    std::string help;       // further paragraphs, may be empty
    std::vector<Option> options;
    // Returns the process's exit status. Throws gpu::Error: main() prints it and exits with its code.
    std::function<int(const Arguments&)> run;
};

inline const Option json_option{"--json", "", "Print JSON on stdout"};

void add_command(Command command);
const std::vector<Command>& commands();  // sorted by name
std::string command_help(const Command& command);

// Results go to stdout, words for people to stderr.
void print_line(const std::string& text);       // stdout
void print_json(const QJsonValue& value);       // stdout, canonical and indented
void print_json_line(const QJsonValue& value);  // stdout, one line, flushed

// Columns padded to their widest cell, two spaces between; the last one is not padded.
std::string table_text(const std::vector<std::vector<std::string>>& rows);
// "31.9 MiB"
std::string bytes_text(std::uint64_t bytes);

}  // namespace app

#define REGISTER_COMMAND(stem, ...) \
    void register_##stem() { add_command(__VA_ARGS__); }
