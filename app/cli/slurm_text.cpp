#include "app/cli/slurm_text.h"

#include <QRegularExpression>
#include <QString>
#include <QStringList>
#include <algorithm>
#include <charconv>

#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::ErrorCode;

std::optional<std::uint64_t> number_of(const std::string& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::vector<std::string> parts_of(const std::string& text, char separator, std::size_t most = SIZE_MAX) {
    std::vector<std::string> parts(1);
    for (const char c : text)
        if (c == separator && parts.size() < most)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

// "(null)" is how Slurm prints nothing.
std::string told(const std::string& text) { return text == "(null)" || text == "None" ? std::string() : text; }

}  // namespace

std::vector<std::string> split_words(const std::string& text) {
    std::vector<std::string> words;
    bool inside = false;  // of a word, which may be empty: ''
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
            inside = false;
            continue;
        }
        if (!inside) words.emplace_back();
        inside = true;
        if (quote != 0 && c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            words.back() += text[++i];
        } else {
            words.back() += c;
        }
    }
    gpu::check(quote == 0, ErrorCode::Usage, "expected a closing {} in: {}", std::string(1, quote), text);
    return words;
}

std::string shell_quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string array_spec(const std::vector<std::uint64_t>& indices, std::uint64_t most) {
    std::string text;
    for (std::size_t i = 0; i < indices.size();) {
        std::size_t last = i;
        while (last + 1 < indices.size() && indices[last + 1] == indices[last] + 1) ++last;
        if (i > 0) text += ',';
        text += std::to_string(indices[i]);
        if (last > i) text.append(1, '-').append(std::to_string(indices[last]));
        i = last + 1;
    }
    return most > 0 ? text + "%" + std::to_string(most) : text;
}

std::vector<std::uint64_t> parse_array_spec(const std::string& text, std::size_t limit) {
    std::string list = text.substr(0, text.find('%'));
    std::erase_if(list, [](char c) { return c == '[' || c == ']'; });
    std::vector<std::uint64_t> indices;
    for (const std::string& part : parts_of(list, ',')) {
        const std::vector<std::string> stepped = parts_of(part, ':', 2);
        const std::vector<std::string> ends = parts_of(stepped[0], '-', 2);
        const auto first = number_of(ends[0]), last = number_of(ends.back());
        const auto step = stepped.size() > 1 ? number_of(stepped[1]) : std::optional<std::uint64_t>(1);
        if (!first || !last || !step || *step == 0 || *last < *first) return {};
        for (std::uint64_t i = *first; i <= *last; i += *step) {
            if (indices.size() == limit) return {};
            indices.push_back(i);
            if (*last - i < *step) break;  // the sum may not fit
        }
    }
    return indices;
}

std::optional<std::string> escaped_pattern(const std::string& path) {
    if (path.find('\\') != std::string::npos) return std::nullopt;
    return QString::fromStdString(path).replace("%", "%%").toStdString();
}

std::string job_script(const std::string& program, const std::string& work, const std::map<std::string, std::string>& environment) {
    std::string text =
        "#!/bin/sh\n"
        "# One task of a job array that heddle submitted: computes its share of the cells.\n"
        "# Arguments: the number of the submission, and what to add to the task's index.\n";
    for (const auto& [name, value] : environment) text += "export " + name + "=" + shell_quoted(value) + "\n";
    return text +
           "cpus=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-}}\n"
           "if [ -n \"$cpus\" ]; then\n"
           "    export OMP_NUM_THREADS=\"$cpus\" LP_NUM_THREADS=\"$cpus\"\n"
           "fi\n"
           "exec " + shell_quoted(program) + " slurm-task " + shell_quoted(work) + " \"$1\" \"$2\"\n";
}

TaskState task_state(const std::string& name) {
    const std::string word = name.substr(0, name.find_first_of(" +"));  // "CANCELLED by 1000", "CANCELLED+"
    const auto is_one_of = [&](std::initializer_list<const char*> words) { return std::ranges::count(words, word) > 0; };
    if (is_one_of({"RUNNING", "COMPLETING", "CONFIGURING", "SIGNALING", "STAGE_OUT"})) return TaskState::Running;
    if (word == "COMPLETED") return TaskState::Completed;
    if (word == "OUT_OF_MEMORY") return TaskState::OutOfMemory;
    if (is_one_of({"CANCELLED", "DEADLINE", "REVOKED"})) return TaskState::Cancelled;
    if (is_one_of({"FAILED", "TIMEOUT", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED"})) return TaskState::Failed;
    return TaskState::Waiting;
}

bool is_over(TaskState state) { return state != TaskState::Waiting && state != TaskState::Running; }

std::vector<TaskReport> parse_squeue(const std::string& text) {
    std::vector<TaskReport> reports;
    for (const std::string& line : parts_of(text, '\n')) {
        const std::vector<std::string> fields = parts_of(line, '|', 5);
        if (fields.size() != 5 || !number_of(fields[0])) continue;
        for (const std::uint64_t index : parse_array_spec(fields[1]))
            reports.push_back({fields[0], index, fields[2], told(fields[3]), told(fields[4])});
    }
    return reports;
}

std::vector<TaskReport> parse_sacct(const std::string& text) {
    std::vector<TaskReport> reports;
    for (const std::string& line : parts_of(text, '\n')) {
        const std::vector<std::string> fields = parts_of(line, '|', 2);
        const std::vector<std::string> id = parts_of(fields[0], '_', 2);
        if (fields.size() != 2 || id.size() != 2 || !number_of(id[0])) continue;
        for (const std::uint64_t index : parse_array_spec(id[1])) reports.push_back({id[0], index, fields[1], {}, {}});
    }
    return reports;
}

std::optional<SubmittedJob> parse_sbatch(const std::string& text) {
    const std::vector<std::string> lines = parts_of(text, '\n');
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        const std::vector<std::string> fields = parts_of(*line, ';', 2);
        if (number_of(fields[0])) return SubmittedJob{fields[0], fields.size() > 1 ? fields[1] : ""};
    }
    return std::nullopt;
}

std::uint64_t parse_max_array_size(const std::string& text) {
    for (const std::string& line : parts_of(text, '\n')) {
        if (!line.starts_with("MaxArraySize")) continue;
        const QStringList words = QString::fromStdString(line).split(QRegularExpression("[\\s=]+"), Qt::SkipEmptyParts);
        if (const auto size = words.size() > 1 ? number_of(words[1].toStdString()) : std::nullopt; size && *size >= 2) return *size;
    }
    return 1001;
}

}  // namespace app
