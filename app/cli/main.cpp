// heddle: the headless runner and toolbox. Finds the command, reports what it throws, turns it into an exit status.
#include <QCoreApplication>
#include <QJsonObject>
#include <algorithm>
#include <clocale>
#include <cstdio>
#include <new>

#include "app/cli/command.h"
#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/io/pending_writes.h"
#include "nodes/core/nearest.h"

namespace app {
namespace {

using gpu::ErrorCode;

std::string overview() {
    std::string text = "Usage: heddle COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n";
    std::vector<std::vector<std::string>> rows;
    for (const Command& command : commands()) rows.push_back({"  " + command.name, command.summary});
    text += table_text(rows);
    text += "\n'heddle COMMAND --help' says more; 'heddle --help-env' lists environment switches, 'heddle --version'\n"
            "the version.\n\n"
            "Exit status: 0 success, 1 failure, 2 usage, 3 invalid graph, 4 missing or bad file, 5 no usable device,\n"
            "6 out of memory, 7 device lost, 8 NaN or Inf, 9 I/O, 10 some targets failed,\n"
            "75 stopped with a checkpoint, 130 and 143 cancelled.\n";
    return text;
}

std::string environment_help() {
    std::vector<std::vector<std::string>> rows{{"SWITCH", "TYPE", "DEFAULT", "MEANING"}};
    for (const gpu::SwitchHelp& row : gpu::switch_help()) rows.push_back({row.name, row.type, row.initial, row.help});
    return table_text(rows);
}

const Command& find_command(const std::string& name) {
    std::vector<std::string> names;
    for (const Command& command : commands()) {
        if (command.name == name) return command;
        names.push_back(command.name);
    }
    const std::string near = nodes::nearest(name, names);
    throw gpu::Error(ErrorCode::Usage, "unknown command '{}'; {}", name,
                     near.empty() ? "see heddle --help" : "did you mean '" + near + "'?");
}

int dispatch(const std::vector<std::string>& words) {
    const std::string first = words.empty() ? "" : words[0];
    if (first == "--version" || first == "-V") {
        print_line("heddle " HEDDLE_VERSION);
        return 0;
    }
    if (first.empty()) {
        std::fputs(overview().c_str(), stderr);
        return gpu::exit_code(ErrorCode::Usage);
    }
    if (first == "--help" || first == "-h" || (first == "help" && words.size() == 1)) {
        std::fputs(overview().c_str(), stdout);
        return 0;
    }
    if (first == "--help-env") {
        std::fputs(environment_help().c_str(), stdout);
        return 0;
    }
    const bool help = first == "help";
    const Command& command = find_command(help ? words[1] : first);
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    const auto options_end = std::ranges::find(rest, "--");
    if (help ||
        std::ranges::any_of(rest.begin(), options_end, [](const auto& w) { return w == "--help" || w == "-h"; })) {
        std::fputs(command_help(command).c_str(), stdout);
        return 0;
    }
    return command.run(Arguments(command.options, rest));
}

bool wants_json(const std::vector<std::string>& words) {
    const auto progress = std::ranges::find(words, "--progress");
    return std::ranges::count(words, "--json") || std::ranges::count(words, "--progress=json") || (progress != words.end() && progress + 1 != words.end() && progress[1] == "json");
}

int report(const std::vector<std::string>& words, ErrorCode code, const std::string& message) {
    const int status = gpu::exit_code(code);
    if (wants_json(words))
        print_json_line(QJsonObject{{"v", 1},
                                    {"event", "error"},
                                    {"code", gpu::to_string(code)},
                                    {"message", QString::fromStdString(message)},
                                    {"exit_code", status}});
    std::fprintf(stderr, "heddle: %s\n", message.c_str());
    return status;
}

// Waits for what a stopped run still writes. A signal ends the process at once by now, and the file stays what it was.
int settled(const std::vector<std::string>& words, int status) {
    for (const std::string& path : gpu::pending_writes()) std::fprintf(stderr, "heddle: writes %s; Ctrl-C ends without it\n", path.c_str());
    for (const gpu::FailedWrite& failed : gpu::failed_writes()) status = report(words, failed.code, failed.message);
    return status;
}

int guarded(const std::vector<std::string>& words) {
    try {
        const int status = settled(words, dispatch(words));
        if (std::fflush(stdout) != 0 || std::ferror(stdout))
            return report({}, ErrorCode::Io, "write to stdout: expected room for all of it, the write failed");
        return status;
    } catch (const gpu::Error& error) {
        return report(words, error.code(), error.what());
    } catch (const std::bad_alloc&) {
        return report(words, ErrorCode::OutOfMemory, "out of memory");
    } catch (const std::exception& error) {
        return report(words, ErrorCode::Failure, error.what());
    }
}

}  // namespace
}  // namespace app

int main(int argc, char** argv) {
    // Nodes that draw need no display.
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 1 && words[0] == "--version") return app::guarded(words);
    const QCoreApplication application(argc, argv);
    std::setlocale(LC_NUMERIC, "C");  // Qt took the user's: numbers are written and read with a point everywhere
    return app::guarded(words);
}
