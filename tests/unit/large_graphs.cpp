// A graph of 10,000 nodes: what an edit touches. Times are those of `heddle bench engine`.
#include <QJsonArray>
#include <QJsonDocument>
#include <set>

#include "nodes/core/executor.h"
#include "nodes/core/plan.h"
#include "nodes/core/plan_memo.h"
#include "nodes/core/validate.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

constexpr int rows = 100, columns = 100;

std::string name(int row, int column) { return gpu::format("n{}_{}", row, column); }

// Rows of additions: each node adds its left neighbour and the one above that, n0_0 is 1. An edit in a row reaches what lies to the right in this row
// and those below.
Document grid() {
    QJsonObject nodes;
    QJsonArray links;
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column) {
            const bool source = column == 0;
            nodes[QString::fromStdString(name(row, column))] = QJsonObject{{"type", source ? "stub.constant" : "stub.add"}};
            if (source) continue;
            const auto link = [&](int from_row, const char* socket) {
                const std::string from = name(from_row, column - 1) + (column == 1 ? ".out" : ".sum");
                links.append(QJsonObject{{"from", QString::fromStdString(from)}, {"to", QString::fromStdString(name(row, column) + "." + socket)}});
            };
            link(row, "a");
            if (row > 0 && column % 10 == 0) link(row - 1, "b");
        }
    return Document::from_json(QJsonDocument(QJsonObject{{"heddle", 1}, {"nodes", nodes}, {"links", links}}).toJson());
}

std::set<std::string> descendants(const Document& document, const std::string& id) {
    std::set<std::string> found;
    std::vector<std::string> open{id};
    while (!open.empty()) {
        const std::string at = std::move(open.back());
        open.pop_back();
        if (!found.insert(at).second) continue;
        for (const Link& link : document.links_of(at))
            if (link.from.node == at) open.push_back(link.to.node);
    }
    return found;
}

std::vector<std::string> ends() {
    std::vector<std::string> targets;
    for (int row = 0; row < rows; ++row) targets.push_back(name(row, columns - 1));
    return targets;
}

}  // namespace

class LargeGraphsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        register_stub_nodes();
        document_ = grid();
        QCOMPARE(document_.node_ids().size(), std::size_t{rows} * columns);
        QVERIFY(!has_errors(validate(document_)));
    }

    void an_edit_touches_its_descendants_alone() {
        ResultCache cache;
        PlanMemo memo;      // as the editor's runner has one
        computed = 0;
        QCOMPARE(run(document_, {.cache = &cache, .memo = &memo}).status, RunStatus::Done);
        QCOMPARE(computed.load(), rows * columns);
        for (const auto& [row, value] : {std::pair{99, 3}, std::pair{97, 4}, std::pair{60, 5}}) {
            const std::string edited = name(row, 0);
            const std::set<std::string> reached = descendants(document_, edited);
            Recorder seen;
            computed = 0;
            QCOMPARE(run(document_.set_param(edited, "value", value), {.cache = &cache, .memo = &memo, .on_event = seen.sink()}).status, RunStatus::Done);
            QCOMPARE(computed.load(), static_cast<int>(reached.size()));
            for (const auto& start : seen.all<event::NodeStart>()) QVERIFY2(reached.contains(start.node), start.node.c_str());
            // Planned are those, and what they read: nothing further up is asked for.
            QVERIFY(seen.all<event::Plan>()[0].nodes.size() < reached.size() * 2 + rows);
        }
        computed = 0;
        QCOMPARE(run(document_, {.cache = &cache, .memo = &memo}).computed, 0);
        QCOMPARE(computed.load(), 0);
    }

    // A plan that was adapted is the plan that would have been made anew.
    void adapted_plans_are_plans() {
        ResultCache cache;
        PlanMemo memo;
        Document document = document_;
        QVERIFY(!memo.take(document, {}, {}, &cache));      // knows nothing
        memo.put(document, document, {}, {}, {{}, make_plan(document, ends(), {}, &cache)});
        for (int edit = 0; edit < 5; ++edit) {
            document = document.set_param(name(edit * 20, 0), "value", edit + 2);
            auto known = memo.take(document, {}, {}, &cache);
            QVERIFY(known);
            const RunPlan fresh = make_plan(document, ends(), {}, &cache);
            QCOMPARE(known->plan.size(), fresh.size());
            for (std::size_t i = 0; i < fresh.size(); ++i) {
                const PlannedNode &a = known->plan[i], &b = fresh[i];
                QVERIFY(a.record == b.record && a.key == b.key && a.params == b.params && a.needed == b.needed && a.readers == b.readers && a.target == b.target);
            }
            memo.put(document, document, {}, {}, std::move(*known));
        }
        QVERIFY(!memo.take(document, {name(3, 3)}, {}, &cache));                                            // other targets
        QVERIFY(!memo.take(document.set_param(name(0, 0), "value", 1e9), {}, {}, &cache));                  // out of range
        QVERIFY(!memo.take(document.set_param(name(0, 0), "value", QJsonObject{{"=", "n1_0.value"}}), {}, {}, &cache));
        QVERIFY(!memo.take(document.set_mode(name(0, 5), NodeMode::Muted), {}, {}, &cache));
        QVERIFY(!memo.take(document.disconnect({name(4, 98), "sum"}, {name(4, 99), "a"}), {}, {}, &cache));
        QVERIFY(memo.take(document.move(name(0, 0), {1, 2}), {}, {}, &cache));
    }

    void keys_change_along_the_links_alone() {
        const std::set<std::string> reached = descendants(document_, name(50, 0));
        const RunPlan before = make_plan(document_, ends(), {}, nullptr);
        const Document edited = document_.set_param(name(50, 0), "value", 9);
        const RunPlan after = make_plan(edited, ends(), {}, nullptr);
        QCOMPARE(before.size(), after.size());
        for (std::size_t i = 0; i < before.size(); ++i) QCOMPARE(before[i].key != after[i].key, reached.contains(before[i].record->id));
    }

private:
    Document document_;
};

}  // namespace tests

using tests::LargeGraphsTest;
HEDDLE_TEST(large_graphs, LargeGraphsTest)
#include "large_graphs.moc"
