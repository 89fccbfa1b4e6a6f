#include "nodes/core/validate.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "nodes/core/any_type.h"
#include "nodes/core/curve.h"
#include "nodes/core/expression.h"
#include "nodes/core/lowering.h"
#include "nodes/core/node.h"
#include "nodes/core/paths.h"
#include "nodes/core/regions.h"
#include "nodes/core/subgraph.h"

namespace nodes {
namespace {

// Where the parameter is a curve and the text is none.
std::string curve_problem(const Node* type, const std::string& param, const std::string& text) {
    const auto* edited = dynamic_cast<const CurveEdited*>(type);
    if (!edited || parse_curve(text)) return {};
    return std::ranges::count(edited->curve_params(), param) ? curve_expectation(text) : std::string();
}

template <typename Info>
std::vector<std::string> names(const std::vector<Info>& list) {
    std::vector<std::string> result;
    for (const Info& info : list) result.push_back(info.name);
    return result;
}

std::vector<std::string> type_ids() {
    std::vector<std::string> ids;
    for (const Node* type : node_types()) ids.push_back(type->info().id);
    return ids;
}

using Edges = std::map<std::string, std::set<std::string>>;

// For each node the nodes whose outputs it reads; links to nothing are left out.
Edges sources_of(const Document& document) {
    Edges sources;
    for (const std::string& id : document.node_ids()) sources[id];
    for (const Link& link : document.links())
        if (document.contains(link.from.node) && document.contains(link.to.node))
            sources[link.to.node].insert(link.from.node);
    return sources;
}

std::set<std::string> needed_by(const std::vector<std::string>& targets, const Edges& sources) {
    std::set<std::string> needed;
    std::vector<std::string> open = targets;
    while (!open.empty()) {
        const std::string id = std::move(open.back());
        open.pop_back();
        const auto at = sources.find(id);
        if (at == sources.end() || !needed.insert(id).second) continue;
        open.insert(open.end(), at->second.begin(), at->second.end());
    }
    return needed;
}

class Validator {
public:
    // `document` is settled; `ids` are those that a target may have.
    Validator(const Document& document, const std::vector<std::string>& targets, const std::vector<std::string>& ids)
        : document_(document),
          sources_(sources_of(document)),
          all_(targets.empty()),
          needed_(needed_by(targets, sources_)) {
        if (document.format() > document_format)
            add(ProblemKind::NewerFormat, Severity::Warning, "", "",
                gpu::format(
                    "expected a document of format {}, got {}: a newer Heddle wrote it, and what this one does not "
                    "know stays as it is",
                    document_format, document.format()));
        for (const std::string& target : targets)
            if (!std::ranges::binary_search(ids, target))
                add(ProblemKind::UnknownTarget, Severity::Error, "", "",
                    "expected a node of the document as target, got '" + target + "'" + suggestion(target, ids));
        for (const std::string& id : document.node_ids()) check_node(document.node(id));
        for (const Link& link : document.links()) check_link(link);
        check_cycles();
        for (RegionProblem& wrong : region_problems(document))
            add(ProblemKind::BadRegion, wrong.harmless ? Severity::Warning : Severity::Error, wrong.node, wrong.socket,
                std::move(wrong.message));
    }

    Validator(const Document& document, const std::string& only) : document_(document), all_(true) { check_node(document.node(only)); }

    std::vector<Problem> take() { return std::move(problems_); }

private:
    void add(ProblemKind kind, Severity severity, const std::string& node, const std::string& socket,
             std::string message) {
        if (!node.empty() && !all_ && !needed_.contains(node)) severity = Severity::Warning;
        problems_.push_back({kind, severity, node, socket, std::move(message)});
    }
    void error(ProblemKind kind, const std::string& node, const std::string& socket, std::string message) {
        add(kind, Severity::Error, node, socket, std::move(message));
    }

    void check_node(const NodeRecord& record) {
        const Node* type = document_.type_of(record);
        if (!type)
            return error(ProblemKind::UnknownType, record.id, "",
                         "expected a known node type, got '" + record.type + "'" + suggestion(record.type, type_ids()));
        const bool newer = record.version > type->info().version;
        if (newer)
            add(ProblemKind::NewerVersion, Severity::Warning, record.id, "",
                gpu::format("expected version {} of {} or older, got {}: a newer Heddle wrote it", type->info().version,
                            record.type, record.version));
        if (record.extra.contains("mode"))      // one that is not known here is kept there
            add(ProblemKind::BadValue, document_.format() > document_format ? Severity::Warning : Severity::Error, record.id, "",
                "expected the mode 'muted' or 'bypassed', or none, got '" + record.extra["mode"].toVariant().toString().toStdString() + "'");
        for (const QString& key : record.params.keys())
            if (const std::string name = key.toStdString(); !type->param(name))
                add(ProblemKind::UnknownParam, newer ? Severity::Warning : Severity::Error, record.id, name,
                    record.type + " has no parameter '" + name + "'" + suggestion(name, names(type->params())));
        for (const ParamInfo& info : type->params()) check_param(record, info);
        for (const SocketInfo& input : type->inputs())
            if (!input.optional && input.initial.empty() && !document_.link_into({record.id, input.name}))
                error(ProblemKind::MissingInput, record.id, input.name,
                      "expected a link that brings a value of type " + input.type->name + ", there is none");
        for (const SocketInfo& output : type->outputs())
            if (!output.follows.empty()) check_branches(record, *type, output);
    }

    // What comes out is one of several inputs of type any: they must be of one type.
    void check_branches(const NodeRecord& record, const Node& type, const SocketInfo& output) {
        const Link* leading = document_.link_into({record.id, output.follows});
        const SocketType* wanted = leading ? flowing_type(document_, leading->from) : nullptr;
        for (const SocketInfo& input : type.inputs()) {
            const Link* link = input.lazy && input.type->any ? document_.link_into({record.id, input.name}) : nullptr;
            const SocketType* flows = link ? flowing_type(document_, link->from) : nullptr;
            if (wanted && flows && flows != wanted)
                error(ProblemKind::TypeMismatch, record.id, input.name,
                      "expected " + wanted->name + " as " + output.follows + " is, got " + flows->name);
        }
    }

    void check_param(const NodeRecord& record, const ParamInfo& info) {
        const QJsonValue value = document_.param(record.id, info.name);
        if (expression_of(value)) {      // one that could not be computed
            try {
                computed_param(document_, record.id, info.name);
            } catch (const gpu::Error& wrong) {
                if (follows_list(document_, record.id, info.name)) return;      // its elements are looked at one by one
                return error(ProblemKind::BadValue, record.id, info.name, wrong.message());
            }
        }
        if (const std::string wrong = info.problem(value); !wrong.empty())
            return error(ProblemKind::BadValue, record.id, info.name, wrong);
        if (const std::string wrong = curve_problem(document_.type_of(record), info.name, value.toString().toStdString()); !wrong.empty())
            return error(ProblemKind::BadValue, record.id, info.name, wrong);
        if (info.required && value.toString().isEmpty())
            error(ProblemKind::MissingValue, record.id, info.name,
                  info.kind == ParamKind::Text ? "expected a text, it is empty" : "expected a file name, it is empty");
    }

    void check_link(const Link& link) {
        const std::string& at = link.to.node;
        const NodeRecord* source = document_.find(link.from.node);
        const NodeRecord* reader = document_.find(at);
        const std::string name = link.from.text() + " -> " + link.to.text();
        if (!source || !reader) {
            const std::string& lost = source ? at : link.from.node;
            return error(ProblemKind::DanglingLink, reader ? at : "", reader ? link.to.socket : "",
                         "link " + name + ": expected a node of the document, got '" + lost + "'" +
                             suggestion(lost, document_.node_ids()));
        }
        const Node* from = document_.type_of(*source);
        const Node* to = document_.type_of(*reader);
        const SocketInfo* output = from ? from->output(link.from.socket) : nullptr;
        const SocketInfo* input = to ? to->input(link.to.socket) : nullptr;
        if (from && !output)
            error(ProblemKind::DanglingLink, at, link.to.socket,
                  "link " + name + ": " + source->type + " has no output '" + link.from.socket + "'" +
                      suggestion(link.from.socket, names(from->outputs())));
        if (to && !input)
            error(ProblemKind::DanglingLink, at, "",
                  "link " + name + ": " + reader->type + " has no input '" + link.to.socket + "'" +
                      suggestion(link.to.socket, names(to->inputs())));
        const SocketType* flows = output ? flowing_type(document_, link.from) : nullptr;
        if (output && input && flows && !input->type->accepts_from(*flows))
            error(ProblemKind::TypeMismatch, at, link.to.socket,
                  "expected " + input->type->name + ", got " + flows->name + " from " + link.from.text());
        // An output of type any is empty where nothing comes in.
        if (output && input && !flows && !input->optional && input->initial.empty() && !is_port(source->type))
            error(ProblemKind::MissingInput, at, link.to.socket,
                  "expected a value of type " + input->type->name + ", nothing is linked into " + link.from.text());
        if (document_.link_into(link.to) != &link)
            error(ProblemKind::DuplicateLink, at, link.to.socket,
                  "expected one link, " + link.from.text() + " is one more");
    }

    void check_cycles() {
        Edges open = sources_;
        while (drop_finished(open), !open.empty()) {
            // Every node left reads another one that is left: walking backwards must meet itself.
            std::vector<std::string> path{open.begin()->first};
            for (;;) {
                const std::string& next = *open[path.back()].begin();
                if (const auto met = std::ranges::find(path, next); met != path.end()) {
                    path.erase(path.begin(), met);
                    break;
                }
                path.push_back(next);
            }
            report_cycle(path);
            for (const std::string& id : path) open.erase(id);
        }
    }

    // Removes nodes that read nothing that is left, until none is found.
    static void drop_finished(Edges& open) {
        for (bool found = true; found;) {
            found = false;
            for (auto at = open.begin(); at != open.end();) {
                std::erase_if(at->second, [&](const std::string& id) { return !open.contains(id); });
                found |= at->second.empty();
                at = at->second.empty() ? open.erase(at) : std::next(at);
            }
        }
    }

    void report_cycle(std::vector<std::string> path) {
        std::ranges::reverse(path);  // now in the direction of the links
        std::rotate(path.begin(), std::ranges::min_element(path), path.end());      // std::ranges::rotate does not compile with Clang 14
        std::string text;
        for (const std::string& id : path) text += id + " -> ";
        error(ProblemKind::Cycle, path.front(), "", "expected no cycle, got " + text + path.front());
    }

    const Document& document_;
    Edges sources_;
    bool all_;
    std::set<std::string> needed_;
    std::vector<Problem> problems_;
};

// Nodes, links and ports of one subgraph.
std::vector<Problem> check_inside(const Document& content) {
    std::vector<Problem> problems = Validator(settled(content, Ports::Kept), {}, {}).take();
    for (SubgraphProblem& wrong : subgraph_problems(content))
        problems.push_back({ProblemKind::BadValue, Severity::Error, wrong.node, "", std::move(wrong.message)});
    return problems;
}

// The insides of the subgraphs that `level` uses, each once, under the name of the first use. `within`: those around it.
void check_subgraphs(const Document& document, const Document& level, const std::string& prefix, std::set<std::string>& checked,
                     std::vector<std::string> within, std::vector<Problem>& problems) {
    for (const std::string& id : level.node_ids()) {
        const NodeRecord& use = level.node(id);
        const std::string name = subgraph_of(use.type), path = prefix + id;
        if (name.empty() || use.mode != NodeMode::On || !document.subgraph(name)) continue;
        if (std::ranges::find(within, name) != within.end()) {
            problems.push_back({ProblemKind::Cycle, Severity::Error, path, "", "expected subgraph '" + name + "' not to hold itself"});
            continue;
        }
        if (within.size() >= deepest_subgraph) {
            problems.push_back({ProblemKind::BadValue, Severity::Error, path, "",
                                gpu::format("expected subgraphs at most {} deep, got '{}' below", deepest_subgraph, name)});
            continue;
        }
        if (!checked.insert(name).second) continue;
        const Document content = document.inside(name);
        for (Problem& problem : check_inside(content)) {
            problem.node = problem.node.empty() ? path : path + "/" + problem.node;
            problems.push_back(std::move(problem));
        }
        within.push_back(name);
        check_subgraphs(document, content, path + "/", checked, within, problems);
        within.pop_back();
    }
}

// What only shows when subgraphs are open and lists unrolled: a port without a link, behind which something bypassed was;
// elements that do not fit. Of the elements of a node one is enough.
void check_lowered(const Document& document, std::vector<Problem>& problems) {
    std::vector<ListProblem> lists;
    const Document low = lowered(document, nullptr, &lists);
    for (ListProblem& wrong : lists)
        problems.push_back({ProblemKind::BadList, Severity::Error, std::move(wrong.node), std::move(wrong.socket), std::move(wrong.message)});
    if (!lists.empty()) return;
    std::set<std::pair<std::string, std::string>> told;
    for (Problem& problem : Validator(low, {}, {}).take()) {
        std::string node = problem.node;
        if (const auto slash = node.rfind('/'); slash != std::string::npos && node.find_first_not_of("0123456789", slash + 1) == std::string::npos) node.resize(slash);
        if (problem.severity == Severity::Error && told.emplace(node, problem.socket).second) problems.push_back(std::move(problem));
    }
}

}  // namespace

const char* to_string(ProblemKind kind) {
    switch (kind) {
        case ProblemKind::UnknownType: return "unknown-type";
        case ProblemKind::NewerVersion: return "newer-version";
        case ProblemKind::NewerFormat: return "newer-format";
        case ProblemKind::UnknownParam: return "unknown-param";
        case ProblemKind::BadValue: return "bad-value";
        case ProblemKind::MissingValue: return "missing-value";
        case ProblemKind::MissingInput: return "missing-input";
        case ProblemKind::DanglingLink: return "dangling-link";
        case ProblemKind::DuplicateLink: return "duplicate-link";
        case ProblemKind::TypeMismatch: return "type-mismatch";
        case ProblemKind::Cycle: return "cycle";
        case ProblemKind::BadRegion: return "bad-region";
        case ProblemKind::BadList: return "bad-list";
        case ProblemKind::UnknownTarget: return "unknown-target";
        case ProblemKind::NothingToRun: return "nothing-to-run";
        case ProblemKind::MissingFile: return "missing-file";
    }
    return "problem";
}

std::string Problem::text() const {
    std::string where = node;
    if (!node.empty() && !socket.empty()) where += "." + socket;
    return std::string(severity == Severity::Error ? "error: " : "warning: ") + (where.empty() ? "" : where + ": ") +
           message;
}

std::vector<Problem> validate(const Document& document, const std::vector<std::string>& targets) {
    std::vector<Problem> problems = Validator(settled(document), targets, document.node_ids()).take();
    std::set<std::string> checked;
    check_subgraphs(document, document, "", checked, {}, problems);
    if ((checked.empty() && !has_lists(document)) || has_errors(problems)) return problems;
    try {
        check_lowered(document, problems);
    } catch (const gpu::Error& error) {      // too many nodes
        problems.push_back({ProblemKind::BadValue, Severity::Error, "", "", error.message()});
    }
    return problems;
}

std::vector<Problem> validate_node(const Document& document, const std::string& id) { return Validator(document, id).take(); }

std::vector<Problem> validate_subgraph(const Document& content) {
    std::vector<Problem> problems = check_inside(content);
    std::set<std::string> checked;
    check_subgraphs(content, content, "", checked, {}, problems);
    return problems;
}

bool has_errors(const std::vector<Problem>& problems) {
    return std::ranges::any_of(problems, [](const Problem& problem) { return problem.severity == Severity::Error; });
}

std::vector<Problem> missing_files(const Document& whole) {
    std::vector<Problem> problems;
    const Document document = expanded(whole);
    const FilePlaces places{.document_folder = document.folder()};
    for (const std::string& id : document.node_ids()) {
        const Node* type = document.type_of(id);
        if (!type || document.node(id).mode != NodeMode::On) continue;
        for (const ParamInfo& info : type->params()) {
            const std::string name = document.param(id, info.name).toString().toStdString();
            if (info.kind != ParamKind::InputFile || name.empty()) continue;
            const std::string path = resolve_input(places, name);
            std::error_code error;
            if (!std::filesystem::exists(path, error))
                problems.push_back(
                    {ProblemKind::MissingFile, Severity::Error, id, info.name, "expected a file, there is no " + path});
        }
    }
    return problems;
}

std::string connect_problem(const Document& document, const Endpoint& from, const Endpoint& to) {
    const NodeRecord* source = document.find(from.node);
    const NodeRecord* reader = document.find(to.node);
    if (!source || !reader) return "expected a node of the document, got '" + (source ? to.node : from.node) + "'";
    const Node* source_type = document.type_of(*source);
    const Node* reader_type = document.type_of(*reader);
    if (!source_type || !reader_type)
        return "expected a known node type, got '" + (source_type ? reader->type : source->type) + "'";
    const SocketInfo* output = source_type->output(from.socket);
    const SocketInfo* input = reader_type->input(to.socket);
    if (!output) return source->type + " has no output '" + from.socket + "'";
    if (!input) return reader->type + " has no input '" + to.socket + "'";
    const SocketType* flows = flowing_type(document, from);
    if (flows && !input->type->accepts_from(*flows)) return "expected " + input->type->name + ", got " + flows->name;
    if (needed_by({from.node}, sources_of(document)).contains(to.node)) return "expected no cycle";
    return {};
}

std::vector<std::string> default_targets(const Document& document) {
    std::vector<std::string> marked;
    std::vector<std::string> sinks;
    std::set<std::string> read;
    for (const Link& link : document.links()) read.insert(link.from.node);
    for (const std::string& id : document.node_ids()) {
        const Node* type = document.type_of(id);
        if (type && (type->info().side_effect || type->info().target)) marked.push_back(id);
        if (!read.contains(id)) sinks.push_back(id);
    }
    if (marked.empty()) return sinks;
    // What is marked inside of a loop runs in every iteration, so that the loop must run though nobody reads its end.
    std::set<std::string> targets(marked.begin(), marked.end());
    for (const Region& region : regions_of(document))
        if (std::ranges::any_of(region.body, [&](const std::string& id) { return targets.contains(id); })) targets.insert(region.end);
    return {targets.begin(), targets.end()};
}

}  // namespace nodes
