// Comma-separated values as RFC 4180 writes them: fields in quotes may hold commas, line breaks and doubled quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct CsvRecord {
    std::size_t line = 0;             // where it begins in the text, from 1
    std::vector<std::string> fields;  // at least one
};

// Lines end in \n or \r\n; empty lines are left out. Throws gpu::Error{BadFile} with the line for a quote that does not
// end, or that stands where none may.
std::vector<CsvRecord> parse_csv(std::string_view text);

// One line with its end, fields in quotes where they need them.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace app
