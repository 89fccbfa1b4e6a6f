// Parameters: the values a person sets on a node. One description (ParamInfo) serves widget, JSON, command line, help,
// validation and cache key; Param<T> in node.h is the typed handle that declares one.
#pragma once

#include <QJsonValue>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace nodes {

// Types a parameter may have besides bool, int, double, float, std::string and enums.
struct Seed {  // chance enters a node only through this
    std::uint64_t value = 0;
    operator std::uint64_t() const { return value; }
};
struct FilePath {      // a file that is read; the cache key sees its content or its size and time
    std::string path;  // what ev[...] returns is absolute; empty when not set
    bool empty() const { return path.empty(); }
};
struct OutputPath {  // a file that is written; ev[...] returns it absolute
    std::string path;
    bool empty() const { return path.empty(); }
};
struct Choice {  // one of a list of names that is known only when the program runs
    std::string name;
};
struct Color {  // 0..1, not premultiplied, sRGB encoded as in "#rrggbb"
    float red = 0, green = 0, blue = 0, alpha = 1;
};

// How a parameter is edited and written. JSON forms: Bool true/false; Int and Number a number; Text, InputFile,
// OutputFile and Choice a string (Choice: the name); Seed an integer, or its decimal text from 2^53 on; Color "#rrggbb"
// or "#rrggbbaa".
enum class ParamKind { Bool, Int, Number, Text, Choice, Seed, InputFile, OutputFile, Color };

const char* to_string(ParamKind kind);  // "bool", "int", "number", "text", "choice", "seed", "input-file", ...

// A parameter without its C++ type: what widgets, files and the command line read.
struct ParamInfo {
    std::string name;   // "grow": enters files, never change it
    std::string label;  // "Grow"
    std::string help;
    ParamKind kind = ParamKind::Text;
    QJsonValue initial;
    double min = -std::numeric_limits<double>::infinity();  // Int and Number, inclusive
    double max = std::numeric_limits<double>::infinity();
    double step = 0;                   // of a spin box; 0: the widget chooses
    int decimals = 3;                  // Number: digits after the point that a widget shows
    std::string unit;                  // "px"
    std::vector<std::string> choices;  // Choice: the names, in order
    bool multiline = false;            // Text
    bool required = false;             // files and text: must not be empty when the node runs
    std::string filter;                // files: "Images (*.png *.jpg)", as a file dialog wants it
    bool advanced = false;             // hidden until asked for

    // Empty when `value` may stand here, else what was expected and what came: "expected 0 to 64, got 70".
    std::string problem(const QJsonValue& value) const;
    // The value in its canonical form (a seed of 2^53 and more as text, an int without fraction); throws
    // gpu::Error{InvalidGraph} where problem() has something to say.
    QJsonValue canonical(const QJsonValue& value) const;
    // Reads the text of `--set NODE.param=TEXT`; throws gpu::Error{Usage} with what was expected.
    QJsonValue parse(const std::string& text) const;
    // The value as --set would take it.
    std::string text(const QJsonValue& value) const;
    // "0..64 px", "source|noise|zero", empty where anything goes.
    std::string range() const;
};

// Options of Param<T>, written as designated initialisers in this order:
//     Param<int> grow{this, "grow", "Widens the mask", {.initial = 6, .min = 0, .max = 64, .unit = "px"}};
template <typename T>
struct ParamOptions {
    static_assert(std::is_enum_v<T>, "not a parameter type: see nodes/core/param.h");
    T initial{};
    std::vector<std::string> names{};  // one per enumerator, which count from 0
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<bool> {
    bool initial = false;
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<int> {
    int initial = 0;
    int min = std::numeric_limits<int>::min();
    int max = std::numeric_limits<int>::max();
    int step = 1;
    std::string unit{};
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<double> {
    double initial = 0;
    double min = -std::numeric_limits<double>::infinity();
    double max = std::numeric_limits<double>::infinity();
    double step = 0;
    int decimals = 3;
    std::string unit{};
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<float> {
    double initial = 0;
    double min = -std::numeric_limits<double>::infinity();
    double max = std::numeric_limits<double>::infinity();
    double step = 0;
    int decimals = 3;
    std::string unit{};
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<std::string> {
    std::string initial{};
    bool multiline = false;
    bool required = false;
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<Seed> {
    std::uint64_t initial = 0;
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<FilePath> {
    std::string filter{};
    bool required = true;
    std::string initial{};
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<OutputPath> {
    std::string filter{};
    bool required = true;
    std::string initial{};
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<Choice> {
    std::string initial{};
    std::vector<std::string> names{};
    std::string label{};
    bool advanced = false;
};

template <>
struct ParamOptions<Color> {
    std::string initial = "#000000";
    std::string label{};
    bool advanced = false;
};

namespace detail {

ParamInfo describe(const ParamOptions<bool>& options);
ParamInfo describe(const ParamOptions<int>& options);
ParamInfo describe(const ParamOptions<double>& options);
ParamInfo describe(const ParamOptions<float>& options);
ParamInfo describe(const ParamOptions<std::string>& options);
ParamInfo describe(const ParamOptions<Seed>& options);
ParamInfo describe(const ParamOptions<FilePath>& options);
ParamInfo describe(const ParamOptions<OutputPath>& options);
ParamInfo describe(const ParamOptions<Choice>& options);
ParamInfo describe(const ParamOptions<Color>& options);
ParamInfo describe_choice(std::vector<std::string> names, std::size_t initial);

template <typename T>
requires std::is_enum_v<T> ParamInfo describe(const ParamOptions<T>& options) {
    ParamInfo info = describe_choice(options.names, static_cast<std::size_t>(options.initial));
    info.label = options.label;
    info.advanced = options.advanced;
    return info;
}

// Values that passed ParamInfo::problem, as C++ types.
void decode(const ParamInfo& info, const QJsonValue& value, bool& out);
void decode(const ParamInfo& info, const QJsonValue& value, int& out);
void decode(const ParamInfo& info, const QJsonValue& value, double& out);
void decode(const ParamInfo& info, const QJsonValue& value, float& out);
void decode(const ParamInfo& info, const QJsonValue& value, std::string& out);
void decode(const ParamInfo& info, const QJsonValue& value, Seed& out);
void decode(const ParamInfo& info, const QJsonValue& value, FilePath& out);
void decode(const ParamInfo& info, const QJsonValue& value, OutputPath& out);
void decode(const ParamInfo& info, const QJsonValue& value, Choice& out);
void decode(const ParamInfo& info, const QJsonValue& value, Color& out);
std::size_t decode_choice(const ParamInfo& info, const QJsonValue& value);

template <typename T>
requires std::is_enum_v<T>
void decode(const ParamInfo& info, const QJsonValue& value, T& out) {
    out = static_cast<T>(decode_choice(info, value));
}

}  // namespace detail

}  // namespace nodes
