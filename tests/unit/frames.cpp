// Frames of a document: what they hold, through every edit, through text, merging and subgraphs.
#include "nodes/core/frames.h"

#include <QJsonArray>

#include "gpu/base/error.h"
#include "nodes/core/merge.h"
#include "nodes/core/subgraph.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;
using Names = std::vector<std::string>;

Document four() {
    return Document()
        .add_node("stub.constant", "one", {0, 0})
        .add_node("stub.constant", "two", {0, 200})
        .add_node("stub.add", "sum", {300, 0})
        .add_node("stub.add", "more", {600, 0})
        .connect({"one", "out"}, {"sum", "a"})
        .connect({"two", "out"}, {"sum", "b"})
        .connect({"sum", "sum"}, {"more", "a"});
}

}  // namespace

class FramesTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void a_frame_holds_nodes_until_they_go() {
        std::string id;
        Document document = add_frame(four(), {"two", "one"}, "Numbers", "#112233", &id);
        QCOMPARE(frames_of(document), (std::map<std::string, Frame>{{id, {"Numbers", "#112233", {"one", "two"}}}}));
        QCOMPARE(frame_of(document, "one"), id);
        QCOMPARE(frame_of(document, "sum"), std::string());
        document = document.rename("one", "first").move("first", {5, 5});
        QCOMPARE(frames_of(document).at(id).nodes, (Names{"first", "two"}));
        document = document.remove_node("first");
        QCOMPARE(frames_of(document).at(id).nodes, Names{"two"});
        document = set_frame_title(document, id, "Rest");
        QCOMPARE(frames_of(document).at(id).title, std::string("Rest"));
        QVERIFY(frames_of(document.remove_node("two")).empty());
        QCOMPARE(put_into_frame(document, "two", "") == four().remove_node("one"), true);      // nothing stays of it
        QCOMPARE(remove_frame(document, id) == four().remove_node("one"), true);
    }

    void a_node_is_in_one_frame() {
        std::string a, b;
        Document document = add_frame(four(), {"one", "two"}, "A", {}, &a);
        document = add_frame(document, {"two", "sum"}, "B", {}, &b);
        QVERIFY(a != b);
        QCOMPARE(frames_of(document).at(a).nodes, Names{"one"});
        QCOMPARE(frames_of(document).at(b).nodes, (Names{"sum", "two"}));
        document = put_into_frame(document, "one", b);
        QVERIFY(!frames_of(document).contains(a));
        QVERIFY(!document.to_json().contains("\"A\""));
    }

    void frames_lie_in_frames() {
        Document document = add_frame(four(), {"one", "two"}, "Inner");
        document = add_frame(document, {"one", "two", "sum"}, "Outer", "#445566");      // around a frame that it holds whole
        const Frames frames = frames_of(document);
        QCOMPARE(frames, (Frames{{"frame", {"Inner", "", {"one", "two"}, "frame2"}}, {"frame2", {"Outer", "#445566", {"sum"}}}}));
        QCOMPARE(nodes_within(frames, "frame2"), (Names{"one", "sum", "two"}));
        QVERIFY(is_within(frames, "frame", "frame2") && !is_within(frames, "frame2", "frame") && !is_within(frames, "frame", "frame"));
        QCOMPARE(frame_depth(frames, "frame"), 1);
        QCOMPARE(whole_frames(frames, {"one", "two", "more"}), std::set<std::string>{"frame"});
        QCOMPARE(Document::from_json(document.to_json()) == document, true);

        const Document third = add_frame(document, {"two"}, "Innermost");       // of a part of a frame: within it
        QCOMPARE(frames_of(third).at("frame3"), (Frame{"Innermost", "", {"two"}, "frame"}));
        QCOMPARE(frames_of(third.remove_node("two")), frames_of(document.remove_node("two")));
        QVERIFY(frames_of(third.remove_node("one")).contains("frame"));         // it holds what the innermost holds
        QCOMPARE(remove_frame(third, "frame") == rename_frame(add_frame(remove_frame(document, "frame"), {"two"}, "Innermost"), "frame", "frame3"), true);

        QCOMPARE(frames_of(nest_frame(third, "frame3", "frame2")).at("frame3").around, std::string("frame2"));
        QCOMPARE(frames_of(nest_frame(third, "frame", "")).at("frame").around, std::string());
        for (const char* inside : {"frame", "frame2", "frame3"}) QVERIFY_EXCEPTION_THROWN((void)nest_frame(third, "frame2", inside), gpu::Error);
        const Frames renamed = frames_of(rename_frame(third, "frame", "other"));
        QCOMPARE(renamed.at("frame3").around, std::string("other"));
        QCOMPARE(renamed.at("other").around, std::string("frame2"));
    }

    void frames_in_a_circle_are_in_none() {
        const Document apart = add_frame(add_frame(four(), {"one"}, "A"), {"two"}, "B");
        const Merged merged = merge(apart, nest_frame(apart, "frame", "frame2"), nest_frame(apart, "frame2", "frame"));
        QVERIFY(merged.conflicts.empty());
        const Frames frames = frames_of(merged.document);
        QCOMPARE(frames.size(), 2u);
        for (const auto& [id, frame] : frames) QVERIFY(frame.around.empty() && frame.nodes.size() == 1);
        const Document odd = Document::from_json(R"({"heddle": 1, "nodes": {"a": {"type": "stub.constant"}}, "layout": {"a": {"frame": "f"}},
            "frames": {"f": {"frame": "g"}, "g": {"frame": "h"}, "h": {"frame": "g"}, "i": {"frame": "i"}, "": {"title": "x"}}})");
        QCOMPARE(nodes_within(frames_of(odd), "f"), Names{"a"});
        QVERIFY(!frames_of(odd).contains("i"));
    }

    void one_side_nests_and_the_other_names() {
        const Document base = add_frame(add_frame(four(), {"one"}, "A"), {"two"}, "B");
        const Merged merged = merge(base, nest_frame(base, "frame", "frame2"), set_frame_title(base, "frame", "New"));
        QVERIFY(merged.conflicts.empty());
        QCOMPARE(frames_of(merged.document).at("frame"), (Frame{"New", "", {"one"}, "frame2"}));
    }

    void nests_go_into_subgraphs_and_back() {
        Document document = add_frame(four(), {"one", "two"}, "Inner");
        document = add_frame(document, {"one", "two", "sum"}, "Outer");
        std::string use;
        const Document all = grouped(document, {"one", "two", "sum"}, "inner", &use);
        QCOMPARE(frames_of(*all.subgraph("inner")), frames_of(document));
        QVERIFY(frames_of(all).empty());
        QCOMPARE(frames_of(ungrouped(all, use)), frames_of(document));
        const Document part = grouped(document, {"one", "two"}, "inner", &use);      // the use is where its nodes were
        QCOMPARE(frames_of(part), (Frames{{"frame2", {"Outer", "", {use, "sum"}}}}));
        QCOMPARE(frames_of(*part.subgraph("inner")), (Frames{{"frame", {"Inner", "", {"one", "two"}}}}));
        QCOMPARE(frames_of(ungrouped(part, use)), frames_of(document));
    }

    void text_keeps_frames_and_what_it_does_not_know() {
        const QByteArray text = R"({"heddle": 1, "nodes": {"a": {"type": "stub.constant"}}, "links": [],
            "frames": {"f": {"title": "F", "note": [1]}, "odd": 7, "empty": {"title": "E"}},
            "layout": {"a": {"x": 1, "y": 2, "frame": "f"}, "gone": {"frame": "f"}}})";
        Document document = Document::from_json(text);
        QCOMPARE(frames_of(document), (std::map<std::string, Frame>{{"f", {"F", "", {"a"}}}}));
        QCOMPARE(Document::from_json(document.to_json()) == document, true);
        document = set_frame_colour(document, "f", "#abcdef");
        QCOMPARE(document.extra()["frames"].toObject()["f"].toObject()["note"].toArray().size(), 1);
        QCOMPARE(document.extra()["frames"].toObject()["odd"].toInt(), 7);
    }

    void what_is_not_well_formed_is_no_frame() {
        for (const char* frames : {"7", "[]", "{\"f\": 3}", "{\"f\": {\"title\": 5, \"colour\": []}}"}) {
            const Document document = Document::from_json(QByteArray(R"({"heddle": 1, "nodes": {"a": {"type": "stub.constant"}}, "frames": )") + frames +
                                                          R"(, "layout": {"a": {"frame": "f"}, "b": {"frame": {}}}})");
            for (const auto& [id, frame] : frames_of(document)) QVERIFY(frame.title.empty() && frame.colour.empty());
            QCOMPARE(Document::from_json(document.to_json()) == document, true);
            (void)remove_frame(document, "f");
        }
        QVERIFY_EXCEPTION_THROWN((void)put_into_frame(four(), "one", "none"), gpu::Error);
        QVERIFY_EXCEPTION_THROWN((void)add_frame(four(), {}, "x"), gpu::Error);
        QVERIFY_EXCEPTION_THROWN((void)add_frame(four(), {"nobody"}, "x"), gpu::Error);
        QVERIFY_EXCEPTION_THROWN((void)set_frame_title(four(), "none", "x"), gpu::Error);
    }

    void both_sides_of_a_merge_put_nodes_into_a_frame() {
        const Document base = add_frame(four(), {"one"}, "F");
        const Merged merged = merge(base, put_into_frame(base, "two", "frame"), put_into_frame(base, "sum", "frame"));
        QVERIFY(merged.conflicts.empty());
        QCOMPARE(frames_of(merged.document).at("frame").nodes, (Names{"one", "sum", "two"}));
    }

    void two_new_frames_of_one_id_both_stay() {
        const Merged merged = merge(four(), add_frame(four(), {"one"}, "Mine"), add_frame(four(), {"sum"}, "Theirs"));
        QVERIFY(merged.conflicts.empty());
        std::map<std::string, Names> found;
        for (const auto& [id, frame] : frames_of(merged.document)) found[frame.title] = frame.nodes;
        QCOMPARE(found, (std::map<std::string, Names>{{"Mine", {"one"}}, {"Theirs", {"sum"}}}));
        const Document same = add_frame(four(), {"one"}, "Same");
        QCOMPARE(merge(four(), same, same).document == same, true);
    }

    void a_title_that_both_changed_is_a_conflict() {
        const Document base = add_frame(four(), {"one"}, "F");
        const Merged merged = merge(base, set_frame_title(base, "frame", "A"), set_frame_title(base, "frame", "B"));
        QCOMPARE(merged.conflicts.size(), 1u);
        QCOMPARE(merged.conflicts.front().where, std::string("frames.frame.title"));
        QCOMPARE(frames_of(merged.document).at("frame").title, std::string("A"));
    }

    void a_frame_goes_into_a_subgraph_with_its_nodes_and_back() {
        const Document framed = add_frame(four(), {"one", "two"}, "Numbers", "#112233");
        std::string use;
        const Document outer = grouped(framed, {"one", "two", "sum"}, "inner", &use);
        QVERIFY(frames_of(outer).empty());
        const auto inside = frames_of(*outer.subgraph("inner"));
        QCOMPARE(inside.size(), 1u);
        QCOMPARE(inside.begin()->second, (Frame{"Numbers", "#112233", {"one", "two"}}));
        const auto again = frames_of(ungrouped(outer, use));
        QCOMPARE(again.size(), 1u);
        QCOMPARE(again.begin()->second, (Frame{"Numbers", "#112233", {"one", "two"}}));
    }

    void a_subgraph_made_within_a_frame_stays_in_it() {
        const Document framed = add_frame(four(), {"one", "two", "sum", "more"}, "All");
        std::string use;
        const Document outer = grouped(framed, {"one", "two", "sum"}, "inner", &use);
        QCOMPARE(frames_of(outer).at("frame").nodes, (Names{use, "more"}));
        QVERIFY(frames_of(*outer.subgraph("inner")).empty());
        QCOMPARE(frames_of(ungrouped(outer, use)).at("frame").nodes, (Names{"more", "one", "sum", "two"}));
    }
};

}  // namespace tests

HEDDLE_TEST(frames, tests::FramesTest)
#include "frames.moc"
