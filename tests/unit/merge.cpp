// Two edits of one document: what is taken from whom, what is a conflict, and that nothing is lost or invented.
#include "nodes/core/merge.h"

#include <QRandomGenerator>

#include "nodes/core/subgraph.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

Document base() {
    return Document()
        .add_node("stub.constant", "one")
        .add_node("stub.constant", "two")
        .add_node("stub.add", "sum")
        .connect({"one", "out"}, {"sum", "a"})
        .connect({"two", "out"}, {"sum", "b"});
}

std::vector<std::string> places(const Merged& merged) {
    std::vector<std::string> list;
    for (const MergeConflict& conflict : merged.conflicts) list.push_back(conflict.where);
    return list;
}

using Places = std::vector<std::string>;

// One random edit; ids that it makes start with `tag`.
Document edited(const Document& document, QRandomGenerator& random, const std::string& tag) {
    const std::vector<std::string> ids = document.node_ids();
    const auto any = [&] { return ids[random.bounded(static_cast<int>(ids.size()))]; };
    switch (ids.empty() ? 0 : random.bounded(6)) {
        case 0: return document.add_node(random.bounded(2) ? "stub.add" : "stub.constant", document.free_id(tag), {double(random.bounded(100)), 0});
        case 1: return document.remove_node(any());
        case 2: return document.set_param(any(), "value", random.bounded(50));
        case 3: return document.move(any(), {double(random.bounded(100)), double(random.bounded(100))});
        case 4: return document.set_mode(any(), static_cast<NodeMode>(random.bounded(3)));
        default: return document.connect({any(), "out"}, {any(), random.bounded(2) ? "a" : "b"});
    }
}

std::set<std::string> link_texts(const Document& document) {
    std::set<std::string> texts;
    for (const Link& link : document.links()) texts.insert(link.from.text() + " > " + link.to.text());
    return texts;
}

}  // namespace

class MergeTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void each_change_is_taken() {
        const Document ours = base().set_param("one", "value", 5).add_node("stub.add", "mine").connect({"sum", "sum"}, {"mine", "a"});
        const Document theirs = base().set_param("two", "value", 7).set_mode("sum", NodeMode::Bypassed).disconnect({"two", "out"}, {"sum", "b"});
        const Merged merged = merge(base(), ours, theirs);
        QCOMPARE(places(merged), Places());
        QCOMPARE(merged.document == ours.set_param("two", "value", 7).set_mode("sum", NodeMode::Bypassed).disconnect({"two", "out"}, {"sum", "b"}), true);
        QCOMPARE(merge(base(), theirs, ours).document == merged.document, true);
    }

    void one_fact_changed_twice_is_a_conflict() {
        const Merged merged = merge(base(), base().set_param("one", "value", 5), base().set_param("one", "value", 6));
        QCOMPARE(places(merged), (Places{"nodes.one.params.value"}));
        QCOMPARE(merged.document.param("one", "value"), QJsonValue(5));
        QVERIFY(merged.conflicts[0].text().find("ours 5, theirs 6") != std::string::npos);
        QCOMPARE(places(merge(base(), base().connect({"two", "out"}, {"sum", "a"}), base().connect({"sum", "sum"}, {"sum", "a"}))), (Places{"links.sum.a"}));
        QCOMPARE(places(merge(base(), base().move("one", {1, 1}), base().move("one", {2, 2}))), Places());      // only where it stands
    }

    void what_somebody_needs_is_not_removed() {
        const Document removed = base().remove_node("two");
        Merged merged = merge(base(), removed, base().set_param("two", "value", 3));
        QVERIFY(merged.document.contains("two"));
        QCOMPARE(places(merged), (Places{"nodes.two"}));
        merged = merge(base(), removed, base().add_node("stub.add", "more").connect({"two", "out"}, {"more", "a"}));
        QVERIFY(merged.document.contains("two") && merged.document.link_into({"more", "a"}));
        QCOMPARE(places(merged), (Places{"nodes.two"}));
        QCOMPARE(places(merge(base(), removed, base())), Places());
        QVERIFY(!merge(base(), removed, base()).document.contains("two"));
    }

    void two_new_nodes_of_one_name_both_stay() {
        const Document ours = base().add_node("stub.add", "new").connect({"one", "out"}, {"new", "a"});
        const Document theirs = base().add_node("stub.constant", "new").connect({"new", "out"}, {"sum", "b"});
        const Merged merged = merge(base(), ours, theirs);
        QCOMPARE(places(merged), Places());
        QCOMPARE(merged.document.node_ids().size(), std::size_t{5});
        QCOMPARE(merged.document.node("new").type, std::string("stub.add"));
        QCOMPARE(merged.document.link_into({"sum", "b"})->from.node, std::string("new2"));
    }

    // Names of nodes that are words of the file form, too.
    void names_of_nodes_mean_nothing() {
        for (const char* name : {"links", "layout", "subgraphs", "mylinks"}) {
            const Document start = base().rename("one", name).set_param(name, "more", 1);
            const Merged apart = merge(start, start.set_param(name, "value", 5), start.set_param(name, "more", 6));
            QCOMPARE(places(apart), Places());
            QCOMPARE(apart.document.param(name, "value"), QJsonValue(5));
            QCOMPARE(apart.document.param(name, "more"), QJsonValue(6));
            const Merged same = merge(start, start.set_param(name, "value", 5), start.set_param(name, "value", 6));
            QCOMPARE(places(same), Places{std::string("nodes.") + name + ".params.value"});
        }
    }

    void insides_of_subgraphs_merge_too() {
        const Document start = grouped(base(), {"two", "sum"}, "adder");
        const Document ours = start.set_subgraph("adder", start.inside("adder").set_param("two", "value", 4));
        const Document theirs = start.set_subgraph("adder", start.inside("adder").add_node("stub.constant", "three"));
        const Merged merged = merge(start, ours, theirs);
        QCOMPARE(places(merged), Places());
        QCOMPARE(merged.document.inside("adder").param("two", "value"), QJsonValue(4));
        QVERIFY(merged.document.inside("adder").contains("three"));
    }

    // Random edits on both sides: all links are somebody's, and those that both kept or one side made are there.
    void no_link_is_lost_or_invented() {
        QRandomGenerator random(7);
        for (int round = 0; round < 400; ++round) {
            Document start = base();
            for (int i = 0; i < 4; ++i) start = edited(start, random, "base");
            Document ours = start, theirs = start;
            for (int i = random.bounded(6); i > 0; --i) ours = edited(ours, random, "ours");
            for (int i = random.bounded(6); i > 0; --i) theirs = edited(theirs, random, "theirs");
            const Merged merged = merge(start, ours, theirs);
            const auto b = link_texts(start), o = link_texts(ours), t = link_texts(theirs), m = link_texts(merged.document);
            for (const std::string& link : m) QVERIFY2(o.contains(link) || t.contains(link), link.c_str());
            for (const Link& link : merged.document.links()) QVERIFY(merged.document.contains(link.from.node) && merged.document.contains(link.to.node));
            const bool links_differ = std::ranges::any_of(merged.conflicts, [](const MergeConflict& c) { return c.where.starts_with("links"); });
            for (const std::string& link : b)
                if (o.contains(link) && t.contains(link)) QVERIFY2(m.contains(link), link.c_str());
            for (const auto* side : {&o, &t})
                for (const std::string& link : *side)
                    if (!b.contains(link) && !links_differ) QVERIFY2(m.contains(link), link.c_str());
            QCOMPARE(merge(start, ours, start).document == ours, true);
            QCOMPARE(merge(start, start, theirs).document == theirs, true);
            QCOMPARE(merge(start, ours, ours).document == ours, true);
        }
    }
};

HEDDLE_TEST(merge, MergeTest)

}  // namespace tests

#include "merge.moc"
