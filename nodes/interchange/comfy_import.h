// ComfyUI workflows as Heddle documents.
//
//     const ComfyImport made = import_comfy(text, {}, "workflow.json");
//     made.document.save("workflow.heddle");
//     for (const std::string& line : made.report.lines()) ...
//
// What has a counterpart becomes Heddle nodes (comfy_class.h has the table); everything else is kept as a placeholder,
// a node of the unknown type "comfyui.CLASS" with its values as parameters and its links by name, which validate()
// names. Node ids are a word and ComfyUI's number, "sample-3".
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <string>
#include <vector>

#include "nodes/core/document.h"

namespace nodes {

inline constexpr const char* comfy_placeholder = "comfyui.";  // what the types of placeholders begin with

enum class ComfyFate {
    Mapped,       // became the nodes that are named
    Folded,       // its values went into the nodes that read it
    Passed,       // what it reads is linked to what reads it
    Placeholder,  // kept under an unknown type
    LeftOut       // does not run: muted, bypassed
};

const char* to_string(ComfyFate fate);  // "mapped", "folded", "passed", "placeholder", "left-out"

struct ComfyReport {
    struct Entry {
        std::string id;    // of ComfyUI, "3"
        std::string type;  // the class, "KSampler"
        ComfyFate fate = ComfyFate::Mapped;
        std::vector<std::string> nodes{};  // of the document
        std::string why{};                 // placeholders and what was left out
    };
    // A value that is not as it stood.
    struct Adjustment {
        std::string id, type, what;
    };
    std::string form;  // "UI 0.4", "UI 1.0", "API" or "A1111"
    std::vector<Entry> entries{};
    std::vector<Adjustment> adjusted{};

    std::size_t count(ComfyFate fate) const;
    // For people: a summary, then a line for each placeholder, adjustment and what was left out.
    std::vector<std::string> lines() const;
    QJsonObject to_json() const;
};

struct ComfyImport {
    Document document;
    ComfyReport report;
};

struct ComfyOptions {
    // ComfyUI's own folder: names of models and pictures become paths below its "models" and "input". Empty: as they
    // are.
    std::string folder{};
};

// Of a file's text in any of the editor's forms, the server's form or the body of a request. `path` is where it was
// read from, for messages and relative names. Throws gpu::Error{BadFile}, naming the node where it is one that is
// malformed.
ComfyImport import_comfy(const QByteArray& text, const ComfyOptions& options = {}, const std::string& path = {});

// Whether the text is such a file, as far as its outermost level says. Never throws.
bool is_comfy_text(const QByteArray& text);

}  // namespace nodes
