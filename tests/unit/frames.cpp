// Frames of a document: what they hold, through every edit, through text, merging and subgraphs.
#include "nodes/core/frames.h"

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
