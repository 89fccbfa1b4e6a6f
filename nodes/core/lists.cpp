#include "nodes/core/lists.h"

#include <QJsonObject>
#include <QString>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/any_type.h"
#include "nodes/core/expression.h"
#include "nodes/core/regions.h"

namespace nodes {
namespace {

using gpu::Error;
using gpu::ErrorCode;

constexpr std::size_t most_nodes = 100000;
constexpr int deepest = 64;      // parameters of parameters

// --- formulas ---

struct Formula {
    std::string text;
    std::string level;      // what the names in it begin with: "face/" inside of the subgraph's use `face`
};

// Of a parameter that could not be computed without lists, nothing for others.
std::optional<Formula> formula_of(const std::string& node, const QJsonValue& value) {
    if (const auto text = expression_of(value)) return Formula{*text, node.substr(0, node.rfind('/') + 1)};
    if (!value.isObject() || !value["@"].isString() || !value["level"].isString()) return std::nullopt;
    return Formula{value["@"].toString().toStdString(), value["level"].toString().toStdString()};
}

// The names in a text, in order; none where it is no formula.
std::vector<Endpoint> names_in(const Formula& formula) {
    std::vector<Endpoint> names;
    try {
        evaluate_expression(formula.text, [&](const Endpoint& name) {
            names.push_back({formula.level + name.node, name.socket});
            return 1.0;
        });
    } catch (const Error&) {
        names.clear();
    }
    return names;
}

// The only name in a text that is nothing but a name.
std::optional<Endpoint> only_name(const Formula& formula) {
    const std::vector<Endpoint> names = names_in(formula);
    if (names.size() != 1) return std::nullopt;
    std::string text;
    for (const char c : formula.text)
        if (c != '`' && c != ' ') text += c;
    return formula.level + text == names[0].text() ? std::optional(names[0]) : std::nullopt;
}

bool gives_list(const Document& document, const Endpoint& name) {
    const ListNode* list = as_list(document.type_of(name.node));
    return list && list->role() != ListRole::Collect && list->output(name.socket);
}

// The outputs of list nodes that a parameter follows.
void find_followed(const Document& document, const Endpoint& param, std::set<Endpoint>& seen, std::set<Endpoint>& found) {
    if (!seen.insert(param).second || !document.contains(param.node)) return;
    const auto formula = formula_of(param.node, document.param(param.node, param.socket));
    if (!formula) return;
    for (const Endpoint& name : names_in(*formula)) {
        if (gives_list(document, name))
            found.insert(name);
        else
            find_followed(document, name, seen, found);
    }
}

std::set<Endpoint> followed_by(const Document& document, const Endpoint& param) {
    std::set<Endpoint> seen, found;
    find_followed(document, param, seen, found);
    return found;
}

QJsonValue as_param(const ParamInfo& info, const QJsonValue& value, const std::string& text) {
    const bool words = info.kind == ParamKind::Text || info.kind == ParamKind::Choice || info.kind == ParamKind::InputFile ||
                       info.kind == ParamKind::OutputFile || info.kind == ParamKind::Color;
    if (words) return value.isString() ? value : QJsonValue(QString::number(value.toDouble(), 'g', 10));
    bool read = !value.isString();
    const double number = value.isString() ? value.toString().trimmed().toDouble(&read) : value.toDouble();
    gpu::check(read && std::isfinite(number), ErrorCode::InvalidGraph, "expression '{}': expected a number, got '{}'", text, value.toString().toStdString());
    if (info.kind == ParamKind::Bool) return number != 0;
    if (info.kind == ParamKind::Int || info.kind == ParamKind::Seed) return static_cast<qint64>(std::llround(std::clamp(number, -9e15, 9e15)));
    return number;
}

// --- axes ---

struct Axis {
    std::string node;      // that makes it
    std::vector<std::string> labels;
    bool stands = false;   // see ListElement
    int length() const { return static_cast<int>(labels.size()); }
};

using At = std::vector<int>;      // by axis: its element

// How a value varies: the axes that it stands along, slowest first, and those of them that it depends on.
struct Spread {
    std::vector<int> shape, depends;
};

// What comes out of a socket.
struct Flow {
    Spread spread;
    std::function<Endpoint(const At&)> end;
    std::function<QJsonValue(const At&)> value{};      // where a parameter may follow
};

bool holds(const std::vector<int>& list, int axis) { return std::ranges::find(list, axis) != list.end(); }

// `part` leaves out some of `whole` and keeps the order.
bool is_part(const std::vector<int>& part, const std::vector<int>& whole) {
    auto at = whole.begin();
    return std::ranges::all_of(part, [&](int axis) {
        at = std::find(at, whole.end(), axis);
        return at != whole.end() && (++at, true);
    });
}

// A node that can not be: what is wrong with it.
struct Wrong {
    std::string socket, message;
};

class Unroller {
public:
    Unroller(const Document& document, const FilePlaces* places) : document_(document), places_(places) {}

    Unrolled take() {
        if (!has_lists(document_)) return {document_, {}};
        find_readers();
        for (const std::string& id : ordered()) {
            try {
                place(id);
            } catch (const Wrong& wrong) {
                problems_.push_back({id, wrong.socket, wrong.message});
            } catch (const Error& error) {
                problems_.push_back({id, "", error.message(), error.code()});
            }
            if (!problems_.empty()) return {document_, std::move(problems_)};
        }
        return {document_.with_content(records_, std::move(links_)), {}};
    }

private:
    // --- order: what a node depends on comes before it ---

    void find_readers() {
        for (const Region& region : regions_of(document_)) {
            std::set<std::string> inside = region.body;
            inside.insert(region.end);
            for (const std::string& id : inside)
                for (const std::string& source : direct_sources(id))
                    if (!inside.contains(source)) around_loop_[region.begin].insert(source);
        }
        for (const Link& link : document_.links()) read_.insert(link.from);
    }

    std::set<std::string> direct_sources(const std::string& id) const {
        std::set<std::string> sources;
        for (const Link& link : document_.links_into(id)) sources.insert(link.from.node);
        for (const Endpoint& name : followed(id)) sources.insert(name.node);
        return sources;
    }

    std::set<Endpoint> followed(const std::string& id) const {
        std::set<Endpoint> all;
        const QJsonObject& params = document_.node(id).params;
        for (auto at = params.begin(); at != params.end(); ++at) all.merge(followed_by(document_, {id, at.key().toStdString()}));
        return all;
    }

    std::vector<std::string> ordered() {
        std::map<std::string, int> waits;
        std::map<std::string, std::vector<std::string>> readers;
        std::vector<std::string> ready, order;
        for (const std::string& id : document_.node_ids()) {
            std::set<std::string> sources = direct_sources(id);
            if (const auto loop = around_loop_.find(id); loop != around_loop_.end()) sources.insert(loop->second.begin(), loop->second.end());
            std::erase_if(sources, [&](const std::string& source) { return !document_.contains(source); });
            for (const std::string& source : sources) readers[source].push_back(id);
            if ((waits[id] = static_cast<int>(sources.size())) == 0) ready.push_back(id);
        }
        while (!ready.empty()) {
            const std::string id = std::move(ready.back());
            ready.pop_back();
            for (const std::string& reader : readers[id])
                if (--waits[reader] == 0) ready.push_back(reader);
            order.push_back(id);
        }
        for (const auto& [id, left] : waits)
            if (left > 0 && order.size() < waits.size()) {
                problems_.push_back({id, "", "expected no ring of links and of parameters that follow a list"});
                break;
            }
        return order;
    }

    // --- one node ---

    void place(const std::string& id) {
        const ListNode* list = as_list(document_.type_of(id));
        if (!list) return place_node(id);
        if (list->role() == ListRole::Source) return place_source(id, *list);
        if (list->role() == ListRole::Zip) return place_zip(id, *list);
        if (list->role() == ListRole::Product) return place_product(id, *list);
        place_collect(id, *list);
    }

    void place_source(const std::string& id, const ListNode& list) {
        gpu::check(followed(id).empty(), ErrorCode::InvalidGraph, "expected parameters that follow no list");
        std::vector<QJsonValue> params;
        for (const ParamInfo& info : list.params()) params.push_back(info.canonical(document_.param(id, info.name)));
        const auto elements = std::make_shared<const std::vector<ListElement>>(list.elements(params, places_));
        std::vector<std::string> labels;
        for (const ListElement& element : *elements) labels.push_back(element.label);
        const int axis = make_axis(id, std::move(labels));
        axes_.back().stands = elements->at(0).stands;
        const Spread spread{{axis}, {axis}};
        spreads_[id] = spread;
        for (std::size_t part = 0; part < list.outputs().size(); ++part) {
            const std::string& socket = list.outputs()[part].name;
            const std::string tail = part == 0 ? std::string() : "/" + socket;
            flows_[{id, socket}] = {spread,
                                    [this, id, axis, tail, elements, part](const At& at) {
                                        return Endpoint{id + suffix({axis}, at) + tail, (*elements)[static_cast<std::size_t>(at[static_cast<std::size_t>(axis)])].parts[part].output};
                                    },
                                    [axis, elements, part](const At& at) { return (*elements)[static_cast<std::size_t>(at[static_cast<std::size_t>(axis)])].parts[part].value; }};
            if (part > 0 && !read_.contains({id, socket})) continue;
            for_each({axis}, [&](const At& at) {
                const ListElement::Part& made = (*elements)[static_cast<std::size_t>(at[static_cast<std::size_t>(axis)])].parts[part];
                add_record({.id = id + suffix({axis}, at) + tail, .type = made.type, .version = version_of(made.type), .params = made.params});
            });
        }
    }

    void place_product(const std::string& id, const ListNode& list) {
        Spread all;
        for (const Link& link : document_.links_into(id)) {
            for (const int axis : flow_of(link.from).spread.shape) {
                if (holds(all.shape, axis)) throw Wrong{link.to.socket, "expected different lists, got " + axes_[static_cast<std::size_t>(axis)].node + " twice"};
                all.shape.push_back(axis);
            }
        }
        for (const SocketInfo& output : list.outputs())
            if (const Link* link = document_.link_into({id, output.name})) {
                Flow flow = flow_of(link->from);
                flow.spread.shape = all.shape;
                flows_[{id, output.name}] = std::move(flow);
            }
        spreads_[id] = {all.shape, all.shape};
    }

    void place_zip(const std::string& id, const ListNode&) {
        const bool longest = document_.param(id, "length").toString() == "longest";
        std::optional<std::size_t> length;
        std::vector<std::pair<std::string, Flow>> given;
        for (const Link& link : document_.links_into(id)) {
            given.emplace_back(link.to.socket, flow_of(link.from));
            if (given.back().second.spread.shape.empty()) continue;
            const std::size_t own = count_of(given.back().second.spread.shape);
            length = !length ? own : longest ? std::max(*length, own) : std::min(*length, own);
        }
        if (!length) throw Wrong{"a", "expected at least one list, got none"};
        std::vector<std::string> labels(*length);
        for (const auto& [socket, flow] : given)
            for (std::size_t i = 0; i < *length && !flow.spread.shape.empty(); ++i) {
                const std::string own = label_at(flow.spread.shape, element_at(flow.spread.shape, i));
                labels[i] += (labels[i].empty() || own.empty() ? "" : ", ") + own;
            }
        const int axis = make_axis(id, std::move(labels));
        spreads_[id] = {{axis}, {axis}};
        for (const auto& [socket, flow] : given) {
            for (const int from : flow.spread.shape) axes_.back().stands |= axes_[static_cast<std::size_t>(from)].stands;
            const auto element = [this, axis, shape = flow.spread.shape](const At& at) {
                return element_at(shape, static_cast<std::size_t>(at[static_cast<std::size_t>(axis)]));
            };
            Flow zipped{{{axis}, {axis}}, [element, end = flow.end](const At& at) { return end(element(at)); }};
            if (flow.value) zipped.value = [element, value = flow.value](const At& at) { return value(element(at)); };
            flows_[{id, socket}] = std::move(zipped);
        }
    }

    void place_collect(const std::string& id, const ListNode& list) {
        const Link* link = document_.link_into({id, "value"});
        if (!link) return;      // validate() says so
        const Flow flow = flow_of(link->from);
        const SocketType* type = flowing_type(document_, link->from);
        if (read_.contains({id, "batch"}) && type && !type->collect)
            throw Wrong{"value", "expected a type that can be a batch (image, mask, latent, tensor), got " + type->name + ": its table holds any"};
        std::vector<int> outer, inner = flow.spread.shape, along;
        if (document_.param(id, "which").toString() == "last" && inner.size() > 1) {
            outer.assign(inner.begin(), inner.end() - 1);
            inner.erase(inner.begin(), inner.end() - 1);
        }
        std::ranges::copy_if(outer, std::back_inserter(along), [&](int axis) { return holds(flow.spread.depends, axis); });
        const std::size_t count = count_of(inner);
        if (count > most_gathered) throw Wrong{"value", gpu::format("expected {} elements at most, got {}", most_gathered, count)};
        std::string titles;
        for_each(inner, [&](const At& at) { titles += (titles.empty() ? "" : "\n") + one_line(label_at(inner, at)); });
        std::string columns, rows;      // the fastest list across, the others down
        if (inner.size() > 1) {
            const std::vector<int> last{inner.back()}, others(inner.begin(), inner.end() - 1);
            for_each(last, [&](const At& at) { columns += (columns.empty() ? "" : "\n") + one_line(label_at(last, at, true)); });
            for_each(others, [&](const At& at) { rows += (rows.empty() ? "" : "\n") + one_line(label_at(others, at, true)); });
        }
        const int across = inner.size() > 1 ? axes_[static_cast<std::size_t>(inner.back())].length() : 0;
        const QJsonObject params{{"titles", QString::fromStdString(titles)},
                                 {"across", across},
                                 {"column_titles", QString::fromStdString(columns)},
                                 {"row_titles", QString::fromStdString(rows)}};
        const std::string gathering = list.gathering_type(count);
        for_each(along, [&](const At& at) {
            const std::string name = id + suffix(along, at);
            add_record({.id = name, .type = gathering, .version = version_of(gathering), .params = params});
            std::size_t element = 0;
            At each = at;
            for_each(inner, [&](const At& inside) {
                for (const int axis : inner) each[static_cast<std::size_t>(axis)] = inside[static_cast<std::size_t>(axis)];
                links_.push_back({.from = flow.end(each), .to = {name, gather_input(element++)}});
            });
        });
        spreads_[id] = {outer, along};
    }

    void place_node(const std::string& id) {
        std::vector<std::pair<std::string, Spread>> parts;
        for (const Link& link : document_.links_into(id)) parts.emplace_back(link.to.socket, flow_of(link.from).spread);
        for (const Endpoint& name : followed(id)) parts.emplace_back("", flow_of(name).spread);
        if (const auto loop = around_loop_.find(id); loop != around_loop_.end())
            for (const std::string& source : loop->second) parts.emplace_back("", spread_of(source));
        const Spread spread = merged(parts);
        spreads_[id] = spread;
        const std::size_t count = count_of(spread.depends);
        std::size_t number = 0;
        for_each(spread.depends, [&](const At& at) {
            const std::string name = id + suffix(spread.depends, at);
            NodeRecord record = document_.node(id);
            record.id = name;
            set_params(record, id, at, ++number, count);
            add_record(std::move(record));
            for (const Link& link : document_.links_into(id))
                if (const Flow flow = flow_of(link.from); flow.end) links_.push_back({flow.end(at), {name, link.to.socket}, link.extra});
        });
    }

    void set_params(NodeRecord& record, const std::string& id, const At& at, std::size_t number, std::size_t count) {
        const Node* type = document_.type_of(id);
        if (!type) return;
        for (const ParamInfo& info : type->params()) {
            const QString key = QString::fromStdString(info.name);
            if (const std::set<Endpoint> lists = followed_by(document_, {id, info.name}); !lists.empty()) {
                const QJsonValue value = followed_value({id, info.name}, info, lists, at);
                if (value.isUndefined())
                    record.params.remove(key);
                else
                    record.params[key] = value;
            }
            if (info.kind != ParamKind::OutputFile || count < 2) continue;
            const QJsonValue value = record.params.contains(key) ? record.params[key] : info.initial;
            const std::string path = value.toString().toStdString();
            if (!path.empty()) record.params[key] = QString::fromStdString(numbered_path(path, number, count));
        }
    }

    // --- values of parameters ---

    // Undefined where it is not known before a file is read.
    QJsonValue followed_value(const Endpoint& param, const ParamInfo& info, const std::set<Endpoint>& lists, const At& at) const {
        std::vector<int> shape;
        for (const Endpoint& list : lists) std::ranges::copy(flow_of(list).spread.depends, std::back_inserter(shape));
        const bool stands = std::ranges::any_of(shape, [&](int axis) { return axes_[static_cast<std::size_t>(axis)].stands; });
        if (stands && info.kind != ParamKind::Text && info.kind != ParamKind::InputFile && info.kind != ParamKind::OutputFile) return QJsonValue::Undefined;
        std::string wrong;
        QJsonValue value;
        try {
            value = computed_at(param, info, at, 0);
            wrong = info.problem(value);
        } catch (const Error& error) {
            wrong = error.message();
        }
        if (!wrong.empty()) throw Wrong{info.name, wrong + ", for " + label_at(shape, at)};
        return value;
    }

    QJsonValue computed_at(const Endpoint& param, const ParamInfo& info, const At& at, int depth) const {
        const Formula formula = *formula_of(param.node, document_.param(param.node, param.socket));
        gpu::check(depth < deepest, ErrorCode::InvalidGraph, "expression '{}': expected no ring of parameters", formula.text);
        if (const auto name = only_name(formula); name && gives_list(document_, *name)) return as_param(info, list_value(*name, at), formula.text);
        const double number = evaluate_expression(formula.text, [&](const Endpoint& name) { return number_of({formula.level + name.node, name.socket}, at, depth); });
        return as_param(info, number, formula.text);
    }

    QJsonValue list_value(const Endpoint& name, const At& at) const {
        const Flow flow = flow_of(name);
        const QJsonValue value = flow.value ? flow.value(at) : QJsonValue(QJsonValue::Undefined);
        gpu::check(!value.isUndefined(), ErrorCode::InvalidGraph, "expected a list of numbers or texts, a parameter can not follow {}", name.text());
        return value;
    }

    double number_of(const Endpoint& name, const At& at, int depth) const {
        static const ParamInfo number{.kind = ParamKind::Number};
        if (gives_list(document_, name)) return as_param(number, list_value(name, at), name.text()).toDouble();
        gpu::check(document_.contains(name.node), ErrorCode::InvalidGraph, "expected a node of the document, got '{}'", name.node);
        const QJsonValue value = document_.param(name.node, name.socket);
        if (formula_of(name.node, value)) {
            const Node* type = document_.type_of(name.node);
            const ParamInfo* info = type ? type->param(name.socket) : nullptr;
            const QJsonValue made = computed_at(name, info ? *info : number, at, depth + 1);
            return made.isBool() ? made.toBool() : made.toDouble();
        }
        gpu::check(value.isDouble() || value.isBool(), ErrorCode::InvalidGraph, "expected a parameter that is a number, got {}", name.text());
        return value.isBool() ? value.toBool() : value.toDouble();
    }

    // --- spreads and flows ---

    Spread spread_of(const std::string& id) const {
        const auto at = spreads_.find(id);
        return at == spreads_.end() ? Spread() : at->second;
    }

    Flow flow_of(const Endpoint& from) const {
        if (gives_list(document_, from)) {
            const auto at = flows_.find(from);
            return at == flows_.end() ? Flow() : at->second;
        }
        const Spread spread = spread_of(from.node);
        return {spread, [this, from, along = spread.depends](const At& at) { return Endpoint{from.node + suffix(along, at), from.socket}; }};
    }

    // Of several inputs: the longest shape, of which the others must be parts.
    Spread merged(const std::vector<std::pair<std::string, Spread>>& parts) const {
        Spread all;
        for (const auto& [socket, part] : parts)
            if (part.shape.size() > all.shape.size()) all.shape = part.shape;
        for (const auto& [socket, part] : parts)
            if (!is_part(part.shape, all.shape))
                throw Wrong{socket, "expected lists that list.product or list.zip has combined, got " + named(part.shape) + " beside " + named(all.shape)};
        for (const int axis : all.shape)
            if (std::ranges::any_of(parts, [&](const auto& part) { return holds(part.second.depends, axis); })) all.depends.push_back(axis);
        return all;
    }

    std::string named(const std::vector<int>& shape) const {
        std::string text;
        for (const int axis : shape) text += (text.empty() ? "" : " x ") + axes_[static_cast<std::size_t>(axis)].node;
        return text;
    }

    int make_axis(const std::string& node, std::vector<std::string> labels) {
        axes_.push_back({node, std::move(labels)});
        return static_cast<int>(axes_.size()) - 1;
    }

    // --- elements ---

    std::size_t count_of(const std::vector<int>& shape) const {
        std::size_t count = 1;
        for (const int axis : shape) {
            count *= static_cast<std::size_t>(axes_[static_cast<std::size_t>(axis)].length());
            if (count > most_nodes) throw Wrong{"", gpu::format("expected {} elements at most, got more", most_nodes)};
        }
        return count;
    }

    // The element of this number along a shape; the last where there are fewer.
    At element_at(const std::vector<int>& shape, std::size_t number) const {
        At at(axes_.size(), 0);
        number = std::min(number, count_of(shape) - 1);
        for (std::size_t i = shape.size(); i-- > 0;) {
            const auto length = static_cast<std::size_t>(axes_[static_cast<std::size_t>(shape[i])].length());
            at[static_cast<std::size_t>(shape[i])] = static_cast<int>(number % length);
            number /= length;
        }
        return at;
    }

    void for_each(const std::vector<int>& shape, const std::function<void(const At&)>& visit) const {
        const std::size_t count = count_of(shape);
        for (std::size_t i = 0; i < count; ++i) visit(element_at(shape, i));
    }

    // "/07": the number of an element along these axes, from 1; nothing where there are none.
    std::string suffix(const std::vector<int>& along, const At& at) const {
        if (along.empty()) return {};
        std::size_t number = 0, count = 1;
        for (const int axis : along) {
            const auto length = static_cast<std::size_t>(axes_[static_cast<std::size_t>(axis)].length());
            number = number * length + static_cast<std::size_t>(at[static_cast<std::size_t>(axis)]);
            count *= length;
        }
        const std::string digits = std::to_string(number + 1);
        return "/" + std::string(std::to_string(count).size() - digits.size(), '0') + digits;
    }

    // `named`: with the list's name before a number, which would not say enough: "scales: 4".
    std::string label_at(const std::vector<int>& shape, const At& at, bool named = false) const {
        std::string text;
        for (const int number : shape) {
            const Axis& axis = axes_[static_cast<std::size_t>(number)];
            const std::string& label = axis.labels[static_cast<std::size_t>(at[static_cast<std::size_t>(number)])];
            bool numeric = false;
            if (named) QString::fromStdString(label).toDouble(&numeric);
            text += (text.empty() ? "" : ", ") + (numeric ? axis.node + ": " : "") + label;
        }
        return text;
    }

    static std::string one_line(std::string text) {
        std::ranges::replace(text, '\n', ' ');
        return text;
    }

    static int version_of(const std::string& type) {
        const Node* known = find_node_type(type);
        return known ? known->info().version : 1;
    }

    void add_record(NodeRecord record) {
        if (records_.size() >= most_nodes) throw Wrong{"", gpu::format("expected {} nodes at most with all elements of lists, got more", most_nodes)};
        records_.push_back(std::move(record));
    }

    const Document& document_;
    const FilePlaces* places_;
    std::map<std::string, std::set<std::string>> around_loop_;      // by begin: what the loop reads from outside
    std::set<Endpoint> read_;
    std::vector<Axis> axes_;
    std::map<std::string, Spread> spreads_;
    std::map<Endpoint, Flow> flows_;      // of list nodes
    std::vector<NodeRecord> records_;
    std::vector<Link> links_;
    std::vector<ListProblem> problems_;
};

}  // namespace

std::vector<ListElement> ListNode::elements(const std::vector<QJsonValue>&, const FilePlaces*) const { return {}; }
std::string ListNode::gathering_type(std::size_t) const { return {}; }

void ListNode::compute(Eval&) const {
    throw Error(ErrorCode::Failure, "{}: expected a run without lists, this one was not unrolled", info().id);
}

std::string gather_input(std::size_t element) {
    const std::string digits = std::to_string(element + 1);
    return "v" + std::string(std::to_string(most_gathered).size() - digits.size(), '0') + digits;
}

const ListNode* as_list(const Node* type) { return dynamic_cast<const ListNode*>(type); }

bool has_lists(const Document& document) {
    return std::ranges::any_of(document.node_ids(), [&](const std::string& id) { return as_list(document.type_of(id)); });
}

bool follows_list(const Document& document, const std::string& node, const std::string& param) { return !followed_by(document, {node, param}).empty(); }

QJsonValue formula_of_level(const QJsonValue& expression, const std::string& level) {
    const auto text = expression_of(expression);
    return text ? QJsonValue(QJsonObject{{"@", QString::fromStdString(*text)}, {"level", QString::fromStdString(level)}}) : expression;
}

Unrolled unrolled(const Document& document, const FilePlaces* places) { return Unroller(document, places).take(); }

std::string numbered_path(const std::string& path, std::size_t number, std::size_t count) {
    const std::filesystem::path file(path);
    const std::string digits = std::to_string(number);
    const std::size_t width = std::max<std::size_t>(3, std::to_string(count).size());
    return (file.parent_path() / (file.stem().string() + "-" + std::string(width - std::min(width, digits.size()), '0') + digits + file.extension().string())).string();
}

}  // namespace nodes
