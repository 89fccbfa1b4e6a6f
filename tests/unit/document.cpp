#include "nodes/core/document.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <map>
#include <random>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/json_text.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

Document small() {
    return Document()
        .add_node("stub.constant", "one", {10, 20.5})
        .set_param("one", "value", 3.0)
        .add_node("stub.add", "sum")
        .connect({"one", "out"}, {"sum", "a"});
}

gpu::ErrorCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const gpu::Error& error) {
        return error.code();
    }
    return gpu::ErrorCode::Cancelled;  // nothing was thrown
}

std::string message_of(const QByteArray& text) {
    try {
        (void)Document::from_json(text);
    } catch (const gpu::Error& error) {
        return error.code() == gpu::ErrorCode::BadFile ? error.message() : std::string("another code");
    }
    return "nothing was thrown";
}

}  // namespace

class DocumentTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void canonical_text() {
        QCOMPARE(small().to_json(), QByteArray(R"({
    "heddle": 1,
    "nodes": {
        "one": {
            "type": "stub.constant",
            "version": 1,
            "params": {"value": 3}
        },
        "sum": {"type": "stub.add", "version": 1}
    },
    "links": [
        {"from": "one.out", "to": "sum.a"}
    ],
    "layout": {
        "one": {"x": 10, "y": 20.5},
        "sum": {"x": 0, "y": 0}
    }
}
)"));
    }

    void text_does_not_depend_on_the_order_of_edits() {
        const Document other = Document()
                                   .add_node("stub.add", "sum")
                                   .add_node("stub.constant", "one")
                                   .connect({"one", "out"}, {"sum", "a"})
                                   .set_param("one", "value", 3)
                                   .move("one", {10, 20.5});
        QVERIFY(other == small());
        QCOMPARE(other.to_json(), small().to_json());
    }

    void round_trip() {
        const Document read = Document::from_json(small().to_json());
        QVERIFY(read == small());
        QCOMPARE(read.to_json(), small().to_json());
        QVERIFY(Document::from_json(Document().to_json()) == Document());
    }

    void texts_and_numbers_survive() {
        Document document = Document().add_node("stub.kinds", "k");
        document = document.set_param("k", "words", QString::fromUtf8("\"quoted\"\n\t\\ \u00fc \U0001f9f6 \x01"))
                       .set_param("k", "seed", "18446744073709551615")
                       .set_param("k", "real", 0.1);
        const Document read = Document::from_json(document.to_json());
        QVERIFY(read == document);
        QCOMPARE(read.param("k", "real").toDouble(), 0.1);
        QCOMPARE(read.param("k", "words"), document.param("k", "words"));
    }

    void unknown_things_are_kept() {
        const QByteArray text = R"({"heddle": 1, "author": {"name": "x"}, "nodes": {
            "later": {"type": "nobody.knows", "version": 7, "params": {"deep": [1, {"a": null}]}, "note": "keep"},
            "one": {"type": "stub.constant", "params": {"future": true}, "colour": 3}},
            "links": [{"from": "later.x", "to": "one.y", "style": "thick"}, {"from": "gone.x", "to": "later.y"}],
            "layout": {"later": {"x": 1, "y": 2, "folded": true}, "gone": {"x": 5}}})";
        const Document document = Document::from_json(text);
        const QJsonObject before = normalised(QJsonDocument::fromJson(text).object()).toObject();
        const QJsonObject after =
            QJsonDocument::fromJson(document.move("one", {0, 0}).set_layout("one", {}).to_json()).object();
        QCOMPARE(after["author"], before["author"]);
        QCOMPARE(after["layout"], before["layout"]);
        QCOMPARE(after["nodes"].toObject()["later"], before["nodes"].toObject()["later"]);
        QCOMPARE(after["nodes"].toObject()["one"].toObject()["params"],
                 before["nodes"].toObject()["one"].toObject()["params"]);
        QCOMPARE(after["nodes"].toObject()["one"].toObject()["colour"].toInt(), 3);
        QCOMPARE(after["links"].toArray().size(), 2);
        // Sorted by input: later.y before one.y.
        QCOMPARE(after["links"].toArray()[1].toObject()["style"].toString(), QString("thick"));
    }

    void newer_format_is_read_and_stays() {
        const Document document =
            Document::from_json(R"({"heddle": 2, "nodes": {"one": {"type": "stub.constant"}}, "new": 1})");
        QCOMPARE(document.format(), 2);
        QCOMPARE(QJsonDocument::fromJson(document.to_json()).object()["heddle"].toInt(), 2);
    }

    void older_versions_are_upgraded() {
        const Document document = Document::from_json(
            R"({"heddle": 1, "nodes": {"k": {"type": "stub.kinds", "version": 1, "params": {"size": 12, "real": 25}},
                                       "n": {"type": "stub.kinds", "version": 9, "params": {"size": 12}}}})");
        QCOMPARE(document.node("k").version, 3);
        QCOMPARE(document.param("k", "whole").toInt(), 12);
        QCOMPARE(document.param("k", "real").toDouble(), 0.25);
        QCOMPARE(document.node("n").version, 9);  // newer than we are: untouched
        QVERIFY(document.node("n").params.contains("size"));
    }

    void bad_files_say_what_is_wrong_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("part");
        QTest::newRow("empty") << QByteArray() << "line 1";
        QTest::newRow("cut") << QByteArray("{\"heddle\": 1,\n \"nodes\": {") << "line 2";
        QTest::newRow("other json") << QByteArray("{\"a\": 1}") << "expected a Heddle document";
        QTest::newRow("a list") << QByteArray("[]") << "expected a Heddle document";
        QTest::newRow("format") << QByteArray("{\"heddle\": \"1\"}") << "whole number";
        QTest::newRow("nodes") << QByteArray("{\"heddle\": 1, \"nodes\": []}") << "'nodes'";
        QTest::newRow("node") << QByteArray("{\"heddle\": 1, \"nodes\": {\"a\": 1}}") << "node 'a'";
        QTest::newRow("id") << QByteArray("{\"heddle\": 1, \"nodes\": {\"a.b\": {\"type\": \"x\"}}}") << "node 'a.b'";
        QTest::newRow("type") << QByteArray("{\"heddle\": 1, \"nodes\": {\"a\": {}}}") << "'type'";
        QTest::newRow("version") << QByteArray(
                                        "{\"heddle\": 1, \"nodes\": {\"a\": {\"type\": \"x\", \"version\": 1.5}}}")
                                 << "'version'";
        QTest::newRow("params") << QByteArray("{\"heddle\": 1, \"nodes\": {\"a\": {\"type\": \"x\", \"params\": 1}}}")
                                << "'params'";
        QTest::newRow("links") << QByteArray("{\"heddle\": 1, \"links\": {}}") << "'links'";
        QTest::newRow("link") << QByteArray("{\"heddle\": 1, \"links\": [{\"from\": \"a.b\"}]}") << "'to'";
        QTest::newRow("end") << QByteArray("{\"heddle\": 1, \"links\": [{\"from\": \"a\", \"to\": \"b.c\"}]}")
                             << "NODE.SOCKET";
        QTest::newRow("layout") << QByteArray("{\"heddle\": 1, \"layout\": {\"a\": 1}}") << "layout";
        QTest::newRow("same id twice")
            << QByteArray("{\"heddle\": 1, \"nodes\": {\"a\": {\"type\": \"x\"}, \"a\": {\"type\": \"y\"}}}")
            << "'a' twice";
        QTest::newRow("deep") << QByteArray("{\"heddle\": 1, \"x\": ") + QByteArray(5000, '[') << "expected JSON";
    }
    void bad_files_say_what_is_wrong() {
        QFETCH(QByteArray, text);
        QFETCH(QString, part);
        const std::string message = message_of(text);
        QVERIFY2(message.find(part.toStdString()) != std::string::npos, message.c_str());
    }

    void every_cut_of_a_file_is_refused() {
        const QByteArray text = small().to_json();
        for (int length = 0; length < text.size() - 1; ++length) {
            const std::string message = message_of(text.left(length));
            QVERIFY2(message.starts_with("expected JSON"), message.c_str());
        }
    }

    void save_and_load() {
        QTemporaryDir folder;
        const std::string path = folder.filePath("graph.heddle").toStdString();
        small().save(path);
        small().set_param("one", "value", 4).save(path);
        const Document read = Document::load(path);
        QCOMPARE(read.param("one", "value").toInt(), 4);
        QCOMPARE(read.folder(), folder.path().toStdString());
        QCOMPARE(QDir(folder.path()).entryList(QDir::Files | QDir::Hidden).size(), 1);
        QCOMPARE(code_of([] { Document::load("/nowhere/at/all.heddle"); }), gpu::ErrorCode::MissingFile);
        QCOMPARE(code_of([] { small().save("/nowhere/at/all.heddle"); }), gpu::ErrorCode::Io);
        QCOMPARE(code_of([] { small().save("/dev/full"); }), gpu::ErrorCode::Io);
    }

    void ids() {
        QVERIFY(valid_node_id("encode-2_b") && valid_node_id("\xc3\xbc"));
        QVERIFY(!valid_node_id("") && !valid_node_id("a.b") && !valid_node_id("a b") &&
                !valid_node_id(std::string(65, 'a')));
        const Document document = Document().add_node("image.load").add_node("image.load").add_node("tensor.load");
        QCOMPARE(document.node_ids(), (std::vector<std::string>{"load", "load2", "load3"}));
        QCOMPARE(document.free_id("load2"), std::string("load4"));
        std::string made;
        (void)document.add_node("image.save", {}, {}, &made);
        QCOMPARE(made, std::string("save"));
    }

    void edits_refuse_what_is_not_there() {
        const auto invalid = gpu::ErrorCode::InvalidGraph;
        QCOMPARE(code_of([] { (void)small().remove_node("x"); }), invalid);
        QCOMPARE(code_of([] { (void)small().connect({"x", "out"}, {"sum", "a"}); }), invalid);
        QCOMPARE(code_of([] { (void)small().set_param("x", "value", 1); }), invalid);
        QCOMPARE(code_of([] { (void)small().move("x", {}); }), invalid);
        QCOMPARE(code_of([] { (void)small().rename("one", "sum"); }), invalid);
        QCOMPARE(code_of([] { (void)small().rename("one", "a.b"); }), invalid);
        QCOMPARE(code_of([] { (void)small().add_node("stub.add", "sum"); }), invalid);
    }

    void snapshots_do_not_change() {
        const Document before = small();
        const QByteArray text = before.to_json();
        (void)before.remove_node("one").add_node("stub.add", "x").rename("sum", "y");
        QCOMPARE(before.to_json(), text);
    }

    // Edits of many nodes at once give what the same edits one by one give, byte for byte.
    void many_at_once() {
        Document document;
        for (int i = 0; i < 40; ++i) {
            document = document.add_node("stub.add", "n" + std::to_string(i), {double(i), 0});
            if (i > 0) document = document.connect({"n" + std::to_string(i - 1), "sum"}, {"n" + std::to_string(i), "a"});
        }
        const QByteArray text = document.to_json();
        std::set<std::string> some{"gone"};
        std::map<std::string, QJsonObject> layouts{{"gone", {{"x", 1}}}, {"n1", {}}};
        std::vector<Link> cut{{.from = {"n4", "sum"}, .to = {"n5", "a"}}, {.from = {"n4", "sum"}, .to = {"n9", "a"}}};
        Document removed = document, laid = document.set_layout("n1", {}), muted = document;
        for (int i = 0; i < 40; i += 3) {
            const std::string id = "n" + std::to_string(i);
            some.insert(id);
            layouts[id] = {{"x", -i}, {"y", 0.5}, {"frame", "f"}};
            removed = removed.remove_node(id);
            laid = laid.set_layout(id, layouts[id]);
            muted = muted.set_mode(id, NodeMode::Muted);
        }
        QCOMPARE(document.remove_nodes(some).to_json(), removed.to_json());
        QCOMPARE(document.set_layouts(layouts).to_json(), laid.to_json());
        QCOMPARE(document.set_modes(some, NodeMode::Muted).to_json(), muted.to_json());
        QCOMPARE(document.disconnect_all(cut).to_json(), document.disconnect(cut[0].from, cut[0].to).to_json());
        // What was not touched is the same object: nothing is looked at anew because of it.
        QVERIFY(document.remove_nodes(some).find("n1") == document.find("n1"));
        QCOMPARE(document.set_modes({"n1", "n2"}, NodeMode::Muted).changed_since(document), (std::vector<std::string>{"n1", "n2"}));
        QVERIFY(document.set_modes({"n1"}, NodeMode::On).changed_since(document)->empty());
        QVERIFY(document.remove_nodes({"gone"}) == document && document.remove_nodes({}).changed_since(document));

        // A document put into itself: every node with another id, wired as it was; again, and nothing is lost.
        std::map<std::string, std::string> made;
        const Document twice = document.add_all(document, &made);
        QCOMPARE(made.size(), std::size_t(40));
        QCOMPARE(twice.node_ids().size(), std::size_t(80));
        QCOMPARE(twice.links().size(), std::size_t(78));
        for (const auto& [id, own] : made) {
            QVERIFY(!document.contains(own) && twice.node(own).id == own);
            QVERIFY(twice.position(own) == document.position(id));
        }
        QVERIFY(twice.link_into({made["n7"], "a"})->from == (Endpoint{made["n6"], "sum"}));
        QVERIFY(std::ranges::is_sorted(twice.links(), {}, [](const Link& link) { return std::tie(link.to, link.from); }));
        std::set<std::string> added;
        for (const auto& [id, own] : made) added.insert(own);
        QCOMPARE(twice.remove_nodes(added).to_json(), text);
        QCOMPARE(twice.add_all(document).node_ids().size(), std::size_t(120));
        QCOMPARE(Document().add_all(document, &made).to_json(), text);
        QCOMPARE(made.at("n3"), std::string("n3"));
        QCOMPARE(document.to_json(), text);
    }

    // What an editor tells its views after an edit, against a comparison of everything.
    void differences_are_found() {
        const auto base = Document().add_node("stub.add", "a", {1, 2}).add_node("stub.add", "b").add_node("stub.add", "c").add_node("stub.add", "d")
                              .connect({"a", "sum"}, {"b", "a"}).connect({"b", "sum"}, {"c", "a"});
        const Document after = base.remove_node("b").add_node("stub.add", "bb", {5, 5}).add_node("stub.add", "z").set_param("c", "a", 4).move("a", {3, 3})
                                   .set_layout("d", {}).connect({"a", "sum"}, {"c", "a"}).connect({"c", "sum"}, {"d", "b"});
        const Document::Difference found = after.since(base);
        QCOMPARE(found.removed, std::vector<std::string>{"b"});
        QCOMPARE(found.added, (std::vector<std::string>{"bb", "z"}));
        QCOMPARE(found.records, std::vector<std::string>{"c"});
        QCOMPARE(found.layouts, (std::vector<std::string>{"a", "d"}));
        QVERIFY(found.links_removed == base.links());
        QVERIFY(found.links_added == after.links());
        const Document::Difference back = base.since(after);
        QCOMPARE(back.added, found.removed);
        QCOMPARE(back.removed, found.added);
        QCOMPARE(back.records, found.records);
        QCOMPARE(back.layouts, found.layouts);
        QVERIFY(back.links_added == base.links() && back.links_removed == after.links());
        const Document::Difference none = Document::from_json(base.to_json()).since(base);      // the same, sharing nothing
        QVERIFY(none.removed.empty() && none.added.empty() && none.records.empty() && none.layouts.empty());
        QVERIFY(none.links_removed.empty() && none.links_added.empty());
    }

    void copies_of_many_names_get_free_ones() {
        Document document;
        for (const char* id : {"load", "load2", "load5", "load6", "load7", "load8", "load9", "x", "7", "y3"}) document = document.add_node("stub.add", id);
        std::set<std::string> all;
        for (int i = 0; i < 5; ++i) {
            std::map<std::string, std::string> made;
            document = document.add_all(document, &made);
            for (const auto& [id, own] : made) QVERIFY2(valid_node_id(own) && all.insert(own).second, own.c_str());
        }
        QCOMPARE(document.node_ids().size(), std::size_t(10 << 5));
        QVERIFY(!document.contains(document.free_id("load")));
    }

    // Whatever is done in whatever order, the links are those of a plain list that is edited alongside.
    void random_edits_never_lose_or_invent_a_link() {
        std::mt19937 random(7);
        const auto pick = [&](std::size_t count) { return random() % count; };
        for (int sequence = 0; sequence < 60; ++sequence) {
            Document document;
            std::map<Endpoint, Endpoint> model;  // input -> output
            std::set<std::string> ids;
            const auto any = [&] { return *std::next(ids.begin(), static_cast<long>(pick(ids.size()))); };
            for (int edit = 0; edit < 120; ++edit) {
                const std::size_t kind = ids.size() < 2 ? 0 : pick(7);
                if (kind == 0) {
                    std::string made;
                    document = document.add_node("stub.add", {}, {double(edit), 0}, &made);
                    QVERIFY(ids.insert(made).second);
                } else if (kind == 1 && pick(3) == 0) {
                    const std::string id = any();
                    document = document.remove_node(id);
                    ids.erase(id);
                    std::erase_if(model,
                                  [&](const auto& link) { return link.first.node == id || link.second.node == id; });
                } else if (kind == 2) {
                    const std::string id = any(), to = "r" + std::to_string(edit);
                    document = document.rename(id, to);
                    ids.erase(id);
                    ids.insert(to);
                    std::map<Endpoint, Endpoint> renamed;
                    for (const auto& [input, output] : model) {
                        const auto follow = [&](const Endpoint& end) {
                            return end.node == id ? Endpoint{to, end.socket} : end;
                        };
                        renamed[follow(input)] = follow(output);
                    }
                    model = renamed;
                } else if (kind == 3 && !model.empty()) {
                    const auto link = std::next(model.begin(), static_cast<long>(pick(model.size())));
                    document = document.disconnect(link->second, link->first);
                    model.erase(link);
                } else if (kind == 4) {
                    document = document.set_param(any(), "p", edit).move(any(), {1, 2});
                } else {
                    const Endpoint from{any(), "sum"}, to{any(), pick(2) ? "a" : "b"};
                    document = document.connect(from, to);
                    model[to] = from;
                }
                std::map<Endpoint, Endpoint> links;
                for (const Link& link : document.links()) QVERIFY(links.emplace(link.to, link.from).second);
                QVERIFY(links == model);
                for (const auto& [input, output] : model) QCOMPARE(document.link_into(input)->from, output);
                QVERIFY(document.node_ids() == std::vector<std::string>(ids.begin(), ids.end()));
                if (edit % 10 == 0) QVERIFY(Document::from_json(document.to_json()) == document);
            }
        }
    }
};

}  // namespace tests

using tests::DocumentTest;
HEDDLE_TEST(document, DocumentTest)
#include "document.moc"
