// --out TEMPLATE: where a run writes its files, as a path with fields in braces.
//
//     out/{graph}-{row:03}-{node}-{param:sample.seed}.{suffix}
#pragma once

#include <QDateTime>
#include <cstddef>
#include <string>
#include <vector>

#include "nodes/core/document.h"

namespace app {

// The run that a path is made for.
struct OutputPlace {
    std::string graph;               // the name of the graph's file
    const nodes::Document* document; // with the values of the run
    std::string node, param;         // which parameter gets the path
    std::size_t row = 1;             // which of several runs
    QDateTime started;               // of the command
};

class OutputTemplate {
public:
    // {graph} {node} {output} {file} {suffix} {row} {seed} {param:NODE.param} {date} {time}, {{ and }} for braces. A field
    // may end in :DIGITS, the width that a number is filled up to with zeros. Throws gpu::Error{Usage} for an unknown
    // field, with the list of those that there are, and for a brace without its other one.
    explicit OutputTemplate(const std::string& text);

    // The path; what fields give holds no folders (see safe_part). Throws gpu::Error{Usage} where a field has no value
    // here: several seeds, an unknown parameter.
    std::string expand(const OutputPlace& place) const;

private:
    struct Part {
        std::string text;       // as it stands, where `field` is empty
        std::string field, argument;
        int width = 0;
    };
    static Part parse_field(const std::string& inside);

    std::string text_;
    std::vector<Part> parts_;
};

// A value as a part of a file's name: what separates folders, may stand in no name or means something in one (#) becomes
// '_', "." and ".." and nothing do, too, and at most 100 bytes stay.
std::string safe_part(const std::string& value);

}  // namespace app
