#include "app/cli/csv.h"

#include "gpu/base/error.h"

namespace app {
namespace {

// Reads one field that begins at `at`, and leaves `at` behind it.
std::string read_field(std::string_view text, std::size_t& at, std::size_t& line) {
    std::string field;
    if (at == text.size() || text[at] != '"') {
        for (; at < text.size() && text[at] != ',' && text[at] != '\n'; ++at) {
            gpu::check(text[at] != '"', gpu::ErrorCode::BadFile,
                       "line {}: expected a quote only around a whole field, got one after '{}'", line, field);
            field += text[at];
        }
        if (field.ends_with('\r') && (at == text.size() || text[at] == '\n')) field.pop_back();
        return field;
    }
    const std::size_t first = line;
    for (++at;; ++at) {
        gpu::check(at < text.size(), gpu::ErrorCode::BadFile, "line {}: expected a quote that ends the field", first);
        if (text[at] == '"') {
            if (at + 1 == text.size() || text[at + 1] != '"') break;
            ++at;
        }
        line += text[at] == '\n';
        field += text[at];
    }
    ++at;
    if (at < text.size() && text[at] == '\r') ++at;
    gpu::check(at == text.size() || text[at] == ',' || text[at] == '\n', gpu::ErrorCode::BadFile,
               "line {}: expected a comma after the quoted field '{}'", line, field);
    return field;
}

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text) {
    std::vector<CsvRecord> records;
    std::size_t line = 1;
    for (std::size_t at = 0; at < text.size();) {
        CsvRecord record{line, {}};
        for (bool more = true; more;) {
            record.fields.push_back(read_field(text, at, line));
            more = at < text.size() && text[at] == ',';
            if (at < text.size()) line += text[at++] == '\n';
        }
        if (record.fields.size() > 1 || !record.fields[0].empty()) records.push_back(std::move(record));
    }
    return records;
}

std::string csv_line(const std::vector<std::string>& fields) {
    std::string line;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) line += ',';
        if (fields[i].find_first_of(",\"\n\r") == std::string::npos) {
            line += fields[i];
            continue;
        }
        line += '"';
        for (const char c : fields[i]) line += c == '"' ? std::string("\"\"") : std::string(1, c);
        line += '"';
    }
    return line + "\n";
}

}  // namespace app
