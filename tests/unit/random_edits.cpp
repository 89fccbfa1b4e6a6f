// Long random histories of a document: edits on every level, subgraphs made and dissolved, modes, expressions, undo, files,
// merges of two branches. Beside it goes a plain list of links that knows nothing of documents: no link is lost or invented.
#include <QTemporaryDir>
#include <map>
#include <random>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/expression.h"
#include "nodes/core/lowering.h"
#include "nodes/core/merge.h"
#include "nodes/core/subgraph.h"
#include "nodes/core/validate.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// What a level holds: input -> output.
using Links = std::map<Endpoint, Endpoint>;
// By the subgraph's name, "" for the document itself.
using Levels = std::map<std::string, Links>;

Links links_of(const Document& level) {
    Links links;
    for (const Link& link : level.links()) links.emplace(link.to, link.from);
    return links;
}

Levels levels_of(const Document& document) {
    Levels levels{{"", links_of(document)}};
    for (const std::string& name : document.subgraph_names()) levels[name] = links_of(*document.subgraph(name));
    return levels;
}

Document all_on(Document level) {
    for (const std::string& id : level.node_ids()) level = level.set_mode(id, NodeMode::On);
    return level;
}

// The links between nodes that are no wires, by the nodes' own names, which are unique: the same however they are grouped.
std::set<std::string> effective_links(const Document& document) {
    Document plain = all_on(document);
    for (const std::string& name : document.subgraph_names()) plain = plain.set_subgraph(name, all_on(*document.subgraph(name)));
    const Document low = lowered(plain);
    const auto own = [](const Endpoint& end) { return end.node.substr(end.node.rfind('/') + 1) + "." + end.socket; };
    std::set<std::string> links;
    const auto there = [&](const Endpoint& end, bool output) {      // a port may have gone since
        const Node* type = low.type_of(end.node);
        return low.contains(end.node) && (!type || (output ? type->output(end.socket) : type->input(end.socket)));
    };
    for (const Link& link : low.links())
        if (there(link.from, true) && there(link.to, false)) links.insert(own(link.from) + " > " + own(link.to));
    return links;
}

class History {
public:
    explicit History(unsigned seed) : random_(seed) {}

    Document document;
    Levels levels{{"", {}}};
    std::map<std::string, int> done;      // how often each kind of edit did something

    std::size_t pick(std::size_t count) { return random_() % count; }
    template <typename List>
    auto one_of(const List& list) {
        return *std::next(list.begin(), static_cast<std::ptrdiff_t>(pick(list.size())));
    }

    // One elementary edit on a random level, done to the document and to the list alike. New ids begin with `tag`.
    void edit(const std::string& tag) {
        std::vector<std::string> names{""};
        for (const std::string& name : document.subgraph_names()) names.push_back(name);
        const std::string name = one_of(names);
        const Document before = name.empty() ? document : document.inside(name);
        const Document after = edited(before, levels[name], tag);
        document = name.empty() ? after : document.set_subgraph(name, after);
    }

    // The nodes of the document's own level in a subgraph, or one put back: the same links between the same nodes.
    std::string regroup() {
        const std::set<std::string> before = effective_links(document);
        const std::vector<std::string> ids = document.node_ids();
        std::vector<std::string> uses;
        for (const std::string& id : ids)
            if (!subgraph_of(document.node(id).type).empty()) uses.push_back(id);
        if (uses.size() > 3 || (!uses.empty() && pick(2))) {
            const std::string use = one_of(uses), name = subgraph_of(document.node(use).type);
            document = ungrouped(document, use);
            document = document.remove_subgraph(name);
            ++done["ungroup"];
        } else {
            std::set<std::string> chosen;
            for (std::size_t i = 0; i < 3 && !ids.empty(); ++i) chosen.insert(one_of(ids));
            try {
                document = grouped(document, {chosen.begin(), chosen.end()}, "group" + std::to_string(++made_));
                ++done["group"];
            } catch (const gpu::Error&) {      // a path leads out and back, or nothing was chosen
                return {};
            }
        }
        levels = levels_of(document);
        const std::set<std::string> after = effective_links(document);
        for (const std::string& link : before)
            if (!after.contains(link)) return "grouping lost " + link;
        for (const std::string& link : after)
            if (!before.contains(link)) return "grouping invented " + link;
        return {};
    }

    // Two branches with edits of their own, merged. Empty: well.
    std::string branch_and_merge() {
        const Document base = document;
        History mine = *this, other = *this;
        mine.random_.seed(static_cast<unsigned>(random_()));
        other.random_.seed(static_cast<unsigned>(random_()));
        for (std::size_t i = pick(5); i > 0; --i) mine.edit("m");
        for (std::size_t i = pick(5); i > 0; --i) other.edit("o");
        const Merged merged = merge(base, mine.document, other.document);
        const Levels result = levels_of(merged.document), b = levels_of(base);
        for (const auto& [name, links] : result)
            for (const auto& [to, from] : links) {
                const auto holds = [&, &to = to, &from = from](const Levels& levels) {
                    const auto level = levels.find(name);
                    const auto at = level == levels.end() ? Links::const_iterator() : level->second.find(to);
                    return level != levels.end() && at != level->second.end() && at->second == from;
                };
                if (!holds(mine.levels) && !holds(other.levels)) return "merging invented " + from.text() + " > " + to.text();
            }
        const bool told = std::ranges::any_of(merged.conflicts, [](const MergeConflict& c) { return c.where.find("links") != std::string::npos || c.where.find("subgraphs") != std::string::npos; });
        for (const auto& [name, links] : b)
            for (const auto& [to, from] : links) {
                const auto kept = [&, &to = to, &from = from](const Levels& levels) { return levels.contains(name) && levels.at(name).contains(to) && levels.at(name).at(to) == from; };
                if (kept(mine.levels) && kept(other.levels) && !kept(result) && !told) return "merging lost " + from.text() + " > " + to.text();
            }
        document = merged.document;
        levels = result;
        made_ = std::max(mine.made_, other.made_);
        ++done["merge"];
        return {};
    }

private:
    Document edited(Document level, Links& links, const std::string& tag) {
        const std::vector<std::string> ids = level.node_ids();
        const std::size_t kind = ids.size() < 2 ? 0 : pick(10);
        if (kind <= 1) {
            static const std::vector<std::string> types{"stub.add", "stub.constant", "stub.add", "of.tomorrow"};
            ++done["add"];
            return level.add_node(one_of(types), tag + std::to_string(++made_), {double(pick(500)), 0});
        }
        const std::string id = one_of(ids);
        if (kind == 2 && pick(2) == 0) {
            std::erase_if(links, [&](const auto& link) { return link.first.node == id || link.second.node == id; });
            ++done["remove"];
            return level.remove_node(id);
        }
        if (kind == 3) {
            const std::string to = tag + std::to_string(++made_);
            Links renamed;
            const auto follow = [&](const Endpoint& end) { return end.node == id ? Endpoint{to, end.socket} : end; };
            for (const auto& [input, output] : links) renamed[follow(input)] = follow(output);
            links = renamed;
            ++done["rename"];
            return level.rename(id, to);
        }
        if (kind == 4 && !links.empty()) {
            const auto link = std::next(links.begin(), static_cast<std::ptrdiff_t>(pick(links.size())));
            const auto [to, from] = *link;
            links.erase(link);
            ++done["disconnect"];
            return level.disconnect(from, to);
        }
        if (kind == 5) {
            ++done["parameter"];
            return level.set_param(id, "value", pick(3) ? QJsonValue(static_cast<int>(pick(90))) : expression_value("1 + `" + one_of(ids) + "`.value"));
        }
        if (kind == 6) {
            ++done["mode"];
            return level.set_mode(id, static_cast<NodeMode>(pick(3)));
        }
        // From the earlier to the later by name, so that no circle comes about.
        std::string first = id, second = one_of(ids);
        if (second < first) std::swap(first, second);
        if (first == second) return level;
        const auto socket = [&](const std::string& node, bool output) -> std::string {
            const Node* type = level.type_of(node);
            if (!type) return output ? "out" : "in";
            const std::vector<SocketInfo>& sockets = output ? type->outputs() : type->inputs();
            return sockets.empty() ? std::string() : sockets[pick(sockets.size())].name;
        };
        const Endpoint from{first, socket(first, true)}, to{second, socket(second, false)};
        if (from.socket.empty() || to.socket.empty()) return level;
        links[to] = from;
        ++done["connect"];
        return level.connect(from, to);
    }

    std::mt19937 random_;
    int made_ = 0;
};

}  // namespace

class RandomEditsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void long_histories_data() {
        QTest::addColumn<unsigned>("seed");
        for (unsigned seed = 1; seed <= 4; ++seed) QTest::addRow("seed %u", seed) << seed;
    }
    void long_histories() {
        QFETCH(unsigned, seed);
        const QTemporaryDir folder;
        const std::string path = folder.filePath("a.heddle").toStdString();
        History history(seed);
        struct State {
            Document document;
            Levels levels;
            QByteArray text;
        };
        std::vector<State> states;
        for (int step = 0; step < 300; ++step) {
            const std::size_t kind = history.pick(20);
            std::string wrong;
            if (kind == 0)
                wrong = history.regroup();
            else if (kind == 1)
                wrong = history.branch_and_merge();
            else if (kind == 2 && !states.empty()) {      // undo: back to any state there was, byte for byte
                const State& state = states[history.pick(states.size())];
                history.document = state.document;
                history.levels = state.levels;
                QCOMPARE(history.document.to_json(), state.text);
                ++history.done["undo"];
            } else if (kind == 3) {
                history.document.save(path);
                const Document read = Document::load(path);
                QVERIFY(read == history.document);
                history.document = read;
                ++history.done["file"];
            } else {
                history.edit("n");
            }
            QVERIFY2(wrong.empty(), (std::to_string(step) + ": " + wrong).c_str());
            QVERIFY2(levels_of(history.document) == history.levels, std::to_string(step).c_str());
            const QByteArray text = history.document.to_json();
            const Document again = Document::from_json(text);
            QVERIFY(again == history.document);
            QCOMPARE(again.to_json(), text);
            const bool sound = !has_errors(validate(history.document));
            try {
                (void)lowered(history.document);
            } catch (const gpu::Error& error) {
                QVERIFY2(!sound, error.what());
            }
            states.push_back({history.document, history.levels, text});
        }
        for (const char* kind : {"add", "remove", "rename", "connect", "disconnect", "parameter", "mode", "group", "merge", "undo", "file"})
            QVERIFY2(history.done[kind] > 0, kind);      // the history was one
    }
};

HEDDLE_TEST(random_edits, RandomEditsTest)

}  // namespace tests

#include "random_edits.moc"
