#include "app/model/graph_model.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <random>

#include "app/model/search.h"
#include "gpu/base/error.h"
#include "nodes/core/expression.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

// Hears a model's signals and nothing else: must agree with the document at any time.
class Shadow : public QObject {
public:
    explicit Shadow(GraphModel& model) : model_(model) {
        connect(&model, &GraphModel::reset, this, [this] { read(); });
        connect(&model, &GraphModel::node_added, this,
                [this](const NodeId& id) { positions[id] = model_.position(id); });
        connect(&model, &GraphModel::node_removed, this, [this](const NodeId& id) { positions.erase(id); });
        connect(&model, &GraphModel::node_renamed, this, [this](const NodeId& from, const NodeId& to) {
            positions[to] = positions[from];
            positions.erase(from);
        });
        connect(&model, &GraphModel::node_moved, this,
                [this](const NodeId& id) { positions[id] = model_.position(id); });
        connect(&model, &GraphModel::frames_changed, this, [this] { frames = model_.frames(); });
        connect(&model, &GraphModel::link_added, this, [this](const LinkId& link) { links.insert(link); });
        connect(&model, &GraphModel::link_removed, this, [this](const LinkId& link) { links.erase(link); });
        read();
    }
    bool agrees() const {
        const auto now = model_.links();
        if (frames != model_.frames()) return false;
        if (links != std::set<LinkId>(now.begin(), now.end()) || positions.size() != model_.node_ids().size())
            return false;
        return std::ranges::all_of(positions, [&](const auto& entry) {
            return model_.contains(entry.first) && model_.position(entry.first) == entry.second;
        });
    }
    std::map<NodeId, QPointF> positions;
    std::set<LinkId> links;
    std::map<FrameId, nodes::Frame> frames;

private:
    void read() {
        positions.clear();
        for (const NodeId& id : model_.node_ids()) positions[id] = model_.position(id);
        const auto now = model_.links();
        links = {now.begin(), now.end()};
        frames = model_.frames();
    }
    GraphModel& model_;
};

// One edit drawn by chance; many do nothing, as a person's do.
void random_edit(GraphModel& model, std::mt19937& random) {
    const auto ids = model.node_ids();
    const auto any = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
    const auto node = [&] { return ids[static_cast<std::size_t>(any(static_cast<int>(ids.size())))]; };
    static const std::vector<std::string> types{"stub.constant", "stub.add", "stub.counter", "stub.kinds",
                                                "stub.measure"};
    if (ids.size() < 3)
        return static_cast<void>(model.add_node(types[static_cast<std::size_t>(any(5))], QPointF(any(900), any(600))));
    switch (any(17)) {
        case 0: model.add_node(types[static_cast<std::size_t>(any(5))], QPointF(any(900), any(600))); break;
        case 1: model.remove({node()}); break;
        case 2:
        case 3: {
            const NodeId from = node(), to = node();
            const NodeLook a = model.look(from), b = model.look(to);
            if (!a.outputs.empty() && !b.inputs.empty())
                model.connect_sockets(a.outputs.front().id,
                                      b.inputs[static_cast<std::size_t>(any(static_cast<int>(b.inputs.size())))].id);
            break;
        }
        case 4:
            if (const auto links = model.links(); !links.empty())
                model.disconnect_link(links[static_cast<std::size_t>(any(static_cast<int>(links.size())))]);
            break;
        case 5: {
            const NodeId id = node();
            if (const nodes::Node* type = model.declaration(id); type && !type->params().empty()) {
                const nodes::ParamInfo& info = type->params().front();
                model.set_param(id, info.name, any(4) ? QJsonValue(any(50)) : QJsonValue(QJsonValue::Undefined));
            }
            break;
        }
        case 6: model.move({{node(), QPointF(any(900), any(600))}, {node(), QPointF(any(900), any(600))}}); break;
        case 7: model.rename(node(), QStringLiteral("name%1").arg(any(40))); break;
        case 8: model.duplicate({node(), node()}); break;
        case 9: model.set_mode({node(), node()}, static_cast<nodes::NodeMode>(any(3))); break;
        case 10:
            if (const NodeId id = node(); model.look(id).subgraph) break;
            else if (const nodes::Node* type = model.declaration(id); type && type->param("value"))
                model.set_param(id, "value", nodes::expression_value("2 * `" + node() + "`.value"));
            break;
        case 11:
            try {
                model.group({node(), node(), node()});
            } catch (const gpu::Error&) {      // a path leads out and back in
            }
            break;
        case 12:
            if (const NodeId id = node(); model.look(id).subgraph) model.ungroup(id);
            break;
        case 13: model.dissolve({node()}); break;
        case 14: model.add_frame({node(), node()}, QStringLiteral("Frame %1").arg(any(9))); break;
        case 15: {
            const auto& frames = model.frames();
            if (frames.empty()) break;
            const FrameId frame = std::next(frames.begin(), any(static_cast<int>(frames.size())))->first;
            if (any(2))
                model.move({{node(), QPointF(any(900), any(600))}}, Gesture::none(), {{node(), any(3) ? frame : FrameId()}});
            else if (any(3))
                model.set_frame_title(frame, QStringLiteral("Name %1").arg(any(9)));
            else
                model.remove_frames({frame});
            break;
        }
        case 16: model.set_node_colour({node()}, QColor::fromHsv(any(360), 100, 200)); break;
    }
}

}  // namespace

class GraphModelTest : public QObject {
    Q_OBJECT

    // Does an edit, then checks that undo and redo restore every byte and that the signals told it all.
    template <typename F>
    void check_edit(GraphModel& model, F edit) {
        Shadow shadow(model);
        const QByteArray before = model.document().to_json();
        const int steps = model.undo_stack().index();
        edit();
        const QByteArray after = model.document().to_json();
        QVERIFY(before != after);
        QCOMPARE(model.undo_stack().index(), steps + 1);
        QVERIFY(shadow.agrees());
        model.undo_stack().undo();
        QCOMPARE(model.document().to_json(), before);
        QVERIFY(shadow.agrees());
        model.undo_stack().redo();
        QCOMPARE(model.document().to_json(), after);
        QVERIFY(shadow.agrees());
    }

private slots:
    void initTestCase() { tests::register_editor_stubs(); }

    void every_edit_is_one_step_that_undoes_exactly() {
        GraphModel model;
        check_edit(model, [&] { model.add_node("stub.constant", {10, 20}); });
        check_edit(model, [&] { model.add_node("stub.add", {200, 20}); });
        check_edit(model, [&] {
            QCOMPARE(model.connect_sockets({"constant", "out", true}, {"add", "a", false}), QString());
        });
        check_edit(model, [&] { model.set_param("constant", "value", 5); });
        check_edit(model, [&] { model.move({{"constant", {1, 2}}, {"add", {3, 4}}}); });
        check_edit(model, [&] { QCOMPARE(model.rename("constant", "first"), QString()); });
        check_edit(model, [&] { model.duplicate({"first", "add"}); });
        check_edit(model, [&] { model.disconnect_link({{"first", "out"}, {"add", "a"}}); });
        model.undo_stack().undo();
        check_edit(model, [&] { model.remove({"first"}); });
        check_edit(model, [&] { model.set_param("first2", "value", QJsonValue(QJsonValue::Undefined)); });
    }

    void what_the_program_does_not_know_survives_undo() {
        GraphModel model;
        model.set_document(nodes::Document::from_json(R"({"heddle": 1, "mine": {"a": 1},
            "nodes": {"odd": {"type": "no.such", "version": 4, "params": {"x": [1, 2]}, "colour": "red"},
                      "one": {"type": "stub.add", "version": 1}},
            "links": [{"from": "odd.y", "to": "one.a", "note": "kept"}],
            "layout": {"odd": {"x": 5, "y": 6, "folded": true}}})"));
        QVERIFY(!model.look("odd").known);
        QCOMPARE(model.look("odd").outputs.size(), 1u);  // the link names it, so it is seen
        check_edit(model, [&] { model.remove({"odd"}); });
        model.undo_stack().undo();
        check_edit(model, [&] { model.rename("odd", "even"); });
        const QByteArray text = model.document().to_json();
        for (const char* word : {"no.such", "colour", "kept", "folded", "mine"}) QVERIFY2(text.contains(word), word);
    }

    void connecting_replaces_the_former_link_in_one_step() {
        GraphModel model;
        const NodeId a = model.add_node("stub.constant", {}), b = model.add_node("stub.constant", {}),
                     sum = model.add_node("stub.add", {});
        model.connect_sockets({a, "out", true}, {sum, "a", false});
        check_edit(model, [&] { model.connect_sockets({sum, "a", false}, {b, "out", true}); });  // either order
        QCOMPARE(model.links().size(), 1u);
        QCOMPARE(model.links().front().from.node, b);
    }

    void impossible_wires_are_refused_with_a_reason() {
        GraphModel model;
        const NodeId sum = model.add_node("stub.add", {}), other = model.add_node("stub.add", {}),
                     read = model.add_node("stub.read", {});
        model.connect_sockets({sum, "sum", true}, {other, "a", false});
        const int steps = model.undo_stack().index();
        QVERIFY(!model.connect_sockets({other, "sum", true}, {sum, "a", false}).isEmpty());   // a cycle
        QVERIFY(!model.connect_sockets({read, "text", true}, {sum, "a", false}).isEmpty());   // a type
        QVERIFY(!model.connect_sockets({sum, "sum", true}, {other, "sum", true}).isEmpty());  // two outputs
        QVERIFY(!model.connect_sockets({sum, "nothing", true}, {other, "b", false}).isEmpty());
        QCOMPARE(model.undo_stack().index(), steps);
        QVERIFY(!model.partners({other, "sum", true}).contains({sum, "a", false}));
        QVERIFY(model.partners({sum, "sum", true}).contains({other, "b", false}));
        QVERIFY(!model.partners({read, "text", true}).contains({sum, "a", false}));
    }

    void a_drag_of_a_parameter_is_one_step() {
        GraphModel model;
        const NodeId id = model.add_node("stub.constant", {});
        const QByteArray before = model.document().to_json();
        const int steps = model.undo_stack().index();
        const Gesture drag = Gesture::next();
        for (int i = 2; i < 20; ++i) model.set_param(id, "value", i, drag);
        QCOMPARE(model.undo_stack().index(), steps + 1);
        model.set_param(id, "value", 50, Gesture::next());
        QCOMPARE(model.undo_stack().index(), steps + 2);
        model.undo_stack().undo();
        QCOMPARE(model.param(id, "value").toInt(), 19);
        model.undo_stack().undo();
        QCOMPARE(model.document().to_json(), before);
    }

    void a_drag_there_and_back_leaves_no_step() {
        GraphModel model;
        const NodeId id = model.add_node("stub.constant", {7, 7});
        const int steps = model.undo_stack().index();
        const Gesture drag = Gesture::next();
        model.move({{id, {90, 90}}}, drag);
        model.move({{id, {7, 7}}}, drag);
        QCOMPARE(model.undo_stack().index(), steps);
    }

    void random_edits_undo_to_the_same_bytes_data() {
        QTest::addColumn<int>("seed");
        for (int seed = 1; seed <= 6; ++seed) QTest::addRow("seed %d", seed) << seed;
    }
    void random_edits_undo_to_the_same_bytes() {
        QFETCH(int, seed);
        std::mt19937 random(static_cast<unsigned>(seed));
        GraphModel model;
        Shadow shadow(model);
        std::vector<QByteArray> states{model.document().to_json()};
        for (int i = 0; i < 300; ++i) {
            random_edit(model, random);
            QVERIFY(shadow.agrees());
            if (model.undo_stack().index() >= static_cast<int>(states.size()))
                states.push_back(model.document().to_json());
            if (random() % 12 == 0) {      // and some steps back: what was undone is gone with the next edit
                for (unsigned back = random() % 4; back > 0 && model.undo_stack().canUndo(); --back) model.undo_stack().undo();
                states.resize(static_cast<std::size_t>(model.undo_stack().index()) + 1);
                QCOMPARE(model.document().to_json(), states.back());
                QVERIFY(shadow.agrees());
            }
        }
        QVERIFY(states.size() > 100);
        for (int i = static_cast<int>(states.size()) - 1; i >= 0; --i) {
            QCOMPARE(model.document().to_json(), states[static_cast<std::size_t>(i)]);
            model.undo_stack().undo();
            QVERIFY(shadow.agrees());
        }
        while (model.undo_stack().index() + 1 < static_cast<int>(states.size())) model.undo_stack().redo();      // not what the last steps back undid
        QCOMPARE(model.document().to_json(), states.back());
        QVERIFY(shadow.agrees());
    }

    void a_pasted_fragment_keeps_its_links_and_gets_free_ids() {
        GraphModel model;
        const NodeId a = model.add_node("stub.constant", {0, 0}), sum = model.add_node("stub.add", {200, 50});
        model.connect_sockets({a, "out", true}, {sum, "a", false});
        model.set_param(a, "value", 9);
        const QByteArray text = model.copy({a, sum});
        QVERIFY(nodes::Document::from_json(text).links().size() == 1);  // plain text of a document
        const auto made = model.paste(text, {500, 500});
        QCOMPARE(made.size(), 2u);
        QCOMPARE(model.links().size(), 2u);
        QCOMPARE(model.position(made[1]), QPointF(500, 500));  // "constant2" after "add2"
        QCOMPARE(model.param(made[1], "value").toInt(), 9);
        QVERIFY_EXCEPTION_THROWN(model.paste("not a graph", {}), gpu::Error);
        QCOMPARE(model.node_ids().size(), 4u);
    }

    void dirty_follows_the_saved_state() {
        const QTemporaryDir folder;
        const QString path = folder.filePath("graph.heddle");
        GraphModel model;
        QVERIFY(!model.dirty());
        model.add_node("stub.constant", {});
        QVERIFY(model.dirty());
        model.save_as(path);
        QVERIFY(!model.dirty());
        model.undo_stack().undo();
        QVERIFY(model.dirty());
        model.undo_stack().redo();
        QVERIFY(!model.dirty());
        GraphModel other;
        other.load(path);
        QCOMPARE(other.document().to_json(), model.document().to_json());
        QCOMPARE(other.path(), path);
    }

    void a_failed_save_or_load_loses_nothing() {
        GraphModel model;
        model.add_node("stub.constant", {});
        const QByteArray before = model.document().to_json();
        QVERIFY_EXCEPTION_THROWN(model.save_as("/no/such/folder/graph.heddle"), gpu::Error);
        QVERIFY_EXCEPTION_THROWN(model.load("/no/such/graph.heddle"), gpu::Error);
        QVERIFY(model.dirty());
        QCOMPARE(model.document().to_json(), before);
        QVERIFY(model.undo_stack().canUndo());
        QCOMPARE(model.path(), QString());
    }

    void undo_keeps_the_path() {
        const QTemporaryDir folder;
        GraphModel model;
        model.add_node("stub.constant", {});
        model.save_as(folder.filePath("a.heddle"));
        model.undo_stack().undo();
        QCOMPARE(model.document().path(), folder.filePath("a.heddle").toStdString());
    }

    void search_ranks_titles_over_other_words() {
        const auto first = [](const QString& query) {
            const auto found = search_types(query);
            return found.empty() ? std::string() : found.front()->info().id;
        };
        QCOMPARE(first("add"), std::string("stub.add"));
        QCOMPARE(first("COUNT"), std::string("stub.counter"));
        QCOMPARE(first("stub rea"), std::string("stub.read"));
        QCOMPARE(first("cuntr"), std::string("stub.counter"));      // letters in order
        QCOMPARE(first("ramp colours"), std::string("stub.ramp"));  // the help
        QVERIFY(search_types("zzzz").empty());
        QCOMPARE(search_types("").size(), nodes::node_types().size());
    }
};

HEDDLE_TEST(graph_model, GraphModelTest)
#include "graph_model.moc"
