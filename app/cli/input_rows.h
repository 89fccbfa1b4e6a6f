// Values of parameters from a file, for one run or for several: what `heddle run --inputs` reads.
#pragma once

#include <QByteArray>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace app {

struct InputRow {
    std::size_t line = 0;  // of the file where it begins, 0 where that is not known
    std::vector<std::pair<std::string, std::string>> values;  // "sample.steps" and its text, as --set takes both
};

struct InputRows {
    std::vector<InputRow> rows;
    bool several = false;               // a list, even of one: results are numbered
    std::vector<std::string> problems;  // values that can be no parameter's: "row 2, sample.steps: ..."

    // "row 2 (line 3)"
    std::string name_of(std::size_t row) const;
};

// Most rows of a file, and its most bytes.
inline constexpr std::size_t most_input_rows = 100000;
inline constexpr qint64 most_input_bytes = qint64{64} << 20;

// By what is inside, or by the suffix .csv, .json or .jsonl of `name`:
//   {"node.param": value, ...}     one run
//   [{...}, {...}]                 several, a row each
//   {...}\n{...}\n                 the same as JSON Lines
//   node.param,node.param\n1,2\n   the same as CSV with the parameters' names first
// A value is a number, a text, true or false, or {"=": "an expression"}; null and an empty cell leave the parameter as it
// is. Throws gpu::Error{BadFile} for a text that is none of these, with its line.
InputRows parse_inputs(QByteArray text, const std::string& name);

// The same from a file, or from stdin for "-". Throws gpu::Error{MissingFile, Io}, too.
InputRows read_inputs(const std::string& path);

}  // namespace app
