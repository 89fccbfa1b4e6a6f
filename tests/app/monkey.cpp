// Random user events on the real window while runs go on: nothing crashes, and at the end the document is what its undo log
// says, step by step. HEDDLE_MONKEY_EVENTS sets how many events, HEDDLE_MONKEY_SEED which, HEDDLE_MONKEY_TRACE=1 names each.
#include <QAbstractButton>
#include <QCheckBox>
#include <QClipboard>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QSlider>
#include <cstdio>
#include <random>

#include "gpu/base/error.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

constexpr int usual_events = 400;
constexpr std::size_t most_nodes = 30;  // of a level: more are deleted again

// What every step of the undo log led to when it was made. A step that grows by merging is written down anew.
class UndoLog : public QObject {
public:
    explicit UndoLog(GraphModel& model) : model_(model) {
        states_[0] = model.whole();
        connect(&model.undo_stack(), &QUndoStack::indexChanged, this, [this](int index) {
            if (!replaying_) note(index);
        });
    }
    // The first step that undo or redo did not restore as it was, or -1.
    int broken() const { return broken_; }
    // What undoing everything leads to: the start, until the log is full and forgets its oldest steps.
    const nodes::Document& oldest() const { return states_.at(0); }
    // Undoes everything, does it again, and compares with what was written down; the first step that differs, or -1.
    int replay() {
        replaying_ = true;
        QUndoStack& stack = model_.undo_stack();
        const int last = stack.index();
        int wrong = -1;
        const auto compare = [&] {
            if (wrong < 0 && !(model_.whole() == states_[stack.index()])) wrong = stack.index();
        };
        for (compare(); stack.index() > 0; compare()) stack.undo();
        for (compare(); stack.index() < last; compare()) stack.redo();
        replaying_ = false;
        return wrong;
    }

private:
    void note(int index) {
        const QUndoStack& stack = model_.undo_stack();
        const QUndoCommand* step = index > 0 ? stack.command(index - 1) : nullptr;
        // A new step, one that grew, or one that came back? A step that replaces another has another address: the former
        // one goes when the new one is there.
        if (index == index_ && index == stack.undoLimit() && step != steps_[index]) forget_oldest();
        const bool made = index == index_ || (index > index_ && (index_ == count_ || step != steps_[index]));
        if (made)
            states_[index] = model_.whole();
        else if (broken_ < 0 && !(model_.whole() == states_[index]))
            broken_ = index;
        steps_[index] = step;
        index_ = index;
        count_ = stack.count();
    }

    // A full log takes a new step by dropping its first: all others move down.
    void forget_oldest() {
        for (int i = 0; i < index_; ++i) states_[i] = std::move(states_[i + 1]), steps_[i] = steps_[i + 1];
    }

    GraphModel& model_;
    std::map<int, nodes::Document> states_;
    std::map<int, const QUndoCommand*> steps_;
    int index_ = 0, count_ = 0, broken_ = -1;
    bool replaying_ = false;
};

// The links as one knows them who hears the model's signals and nothing else.
class HeardLinks : public QObject {
public:
    explicit HeardLinks(GraphModel& model) : model_(model) {
        connect(&model, &GraphModel::reset, this, &HeardLinks::read);
        connect(&model, &GraphModel::level_changed, this, &HeardLinks::read);
        connect(&model, &GraphModel::link_added, this, [this](const LinkId& link) { links_.insert(link); });
        connect(&model, &GraphModel::link_removed, this, [this](const LinkId& link) { links_.erase(link); });
        read();
    }
    // Empty, or what is wrong with the links of the document.
    QString problem() const {
        const auto now = model_.links();
        if (links_ != std::set<LinkId>(now.begin(), now.end())) return QStringLiteral("the signals told of other links");
        if (links_.size() != now.size()) return QStringLiteral("a link is there twice");
        std::set<nodes::Endpoint> inputs;
        for (const LinkId& link : now) {
            if (!model_.contains(link.from.node) || !model_.contains(link.to.node))
                return QStringLiteral("a link leads to no node");
            if (!inputs.insert(link.to).second) return QStringLiteral("an input has two links");
        }
        return {};
    }

private:
    void read() {
        const auto now = model_.links();
        links_ = {now.begin(), now.end()};
    }
    GraphModel& model_;
    std::set<LinkId> links_;
};

class Monkey {
public:
    Monkey(tests::Editor& editor, unsigned seed) : e_(editor), random_(seed) { learn(); }

    // One event of a user, drawn by chance; its name.
    std::string act() {
        int total = 0;
        for (const Event& event : events_) total += event.weight;
        int drawn = any(total);
        const auto event = std::ranges::find_if(events_, [&](const Event& one) { return (drawn -= one.weight) < 0; });
        try {
            event->act();
        } catch (const gpu::Error&) {  // an edit that can not be; the window shows such as a message
        }
        return event->name;
    }

private:
    struct Event {
        const char* name;
        int weight;
        std::function<void()> act;
    };

    int any(int count) { return static_cast<int>(random_() % static_cast<unsigned>(std::max(1, count))); }
    template <typename List>
    auto pick(const List& list) {
        return *std::next(std::begin(list), any(static_cast<int>(std::size(list))));
    }
    QPoint place() { return {any(e_.view.viewport()->width()), any(e_.view.viewport()->height())}; }
    NodeId node() {
        const auto ids = e_.model.node_ids();
        return ids.empty() ? NodeId() : pick(ids);
    }
    SocketId socket(bool output) {
        const NodeId id = node();
        if (id.empty()) return {};
        const NodeLook look = e_.model.look(id);
        const auto& sockets = output ? look.outputs : look.inputs;
        return sockets.empty() ? SocketId() : pick(sockets).id;
    }
    QString words() {
        static const QString letters = QStringLiteral("abcdefghijk 0123456789.-+*/(){}[]\"'\\<>&%");
        QString text;
        for (int count = 1 + any(8); count > 0; --count) text += letters[any(static_cast<int>(letters.size()))];
        return text;
    }
    void key(Qt::Key key, Qt::KeyboardModifiers modifiers = {}) { QTest::keyClick(&e_.view, key, modifiers); }

    void fill_search() {
        QLineEdit* field = e_.view.search()->field();
        if (!field->isVisible()) return;
        static const char* names[] = {"constant", "add", "counter", "kinds", "measure", "failing", "ramp", "zzz"};
        QTest::keyClicks(field, pick(names));
        for (int i = any(3); i > 0; --i) QTest::keyClick(field, Qt::Key_Down);
        QTest::keyClick(field, any(5) ? Qt::Key_Return : Qt::Key_Escape);
    }

    void edit_parameter() {
        if (any(2) && !node().empty()) e_.scene.select({node()});
        std::vector<QWidget*> widgets;
        for (QWidget* widget : e_.window.params().findChildren<QWidget*>())
            if (widget->isVisible() && widget->isEnabled()) widgets.push_back(widget);
        if (widgets.empty()) return;
        QWidget* widget = pick(widgets);
        const QString name = widget->objectName();
        if (auto* line = qobject_cast<QLineEdit*>(widget)) {
            if (any(3) == 0) line->selectAll();
            QTest::keyClicks(line, words());
            if (any(2)) QTest::keyClick(line, Qt::Key_Return);
        } else if (qobject_cast<QPlainTextEdit*>(widget)) {
            QTest::keyClicks(widget, words());
            if (any(4) == 0) QTest::keyClick(widget, Qt::Key_Z, Qt::ControlModifier);
        } else if (qobject_cast<QComboBox*>(widget) || qobject_cast<QSlider*>(widget)) {
            QTest::keyClick(widget, any(2) ? Qt::Key_Down : Qt::Key_Up);
        } else if (qobject_cast<QCheckBox*>(widget) || name == "dice" || name.startsWith("reset_")) {
            QTest::mouseClick(widget, Qt::LeftButton);  // others may open dialogs
        }
    }

    void grow_or_shrink() {
        static const char* types[] = {"stub.constant", "stub.add",     "stub.counter", "stub.kinds",
                                      "stub.measure",  "stub.failing", "stub.ramp"};
        if (e_.model.node_ids().size() < most_nodes)
            e_.model.add_node(pick(types), QPointF(any(900), any(600)), any(2) ? socket(any(2)) : SocketId());
        else
            e_.model.remove({node(), node(), node(), node(), node(), node(), node()});
    }

    void paste_foreign_text() {
        static const char* texts[] = {"", "hello", "{", "[[[[", R"({"heddle": 1, "nodes": {}})",
                                      R"({"heddle": 1, "nodes": {"x": {"type": "no.such", "version": 9}},
                                          "links": [{"from": "x.a", "to": "y.b"}]})"};
        QGuiApplication::clipboard()->setText(QString::fromLatin1(pick(texts)));
        key(Qt::Key_V, Qt::ControlModifier);
    }

    void learn() {
        const auto control = [this](Qt::Key which) { return [this, which] { key(which, Qt::ControlModifier); }; };
        events_ = {
            {"click", 6, [this] { QTest::mouseClick(e_.view.viewport(), Qt::LeftButton, any(4) ? Qt::NoModifier : Qt::ShiftModifier, place()); }},
            {"right click", 1, [this] { QTest::mouseClick(e_.view.viewport(), Qt::RightButton, {}, place()); }},
            {"click a node", 6, [this] { if (const NodeId id = node(); !id.empty()) QTest::mouseClick(e_.view.viewport(), Qt::LeftButton, any(3) ? Qt::NoModifier : Qt::ControlModifier, e_.title(id)); }},
            {"double click", 2, [this] { QTest::mouseDClick(e_.view.viewport(), Qt::LeftButton, {}, place()); fill_search(); }},
            {"drag", 4, [this] { e_.drag(place(), place(), any(5) ? Qt::LeftButton : Qt::MiddleButton); fill_search(); }},
            {"drag a node", 5, [this] { if (const NodeId id = node(); !id.empty()) e_.drag(e_.title(id), place()); }},
            {"drag a wire", 10, [this] {
                 const SocketId from = socket(any(4) > 0), to = socket(any(4) == 0);
                 if (!from.empty() && !to.empty()) e_.drag(e_.at(e_.scene.socket_position(from)), e_.at(e_.scene.socket_position(to)));
                 fill_search();
             }},
            {"wheel", 2, [this] {
                 const QPointF at = place();
                 QWheelEvent wheel(at, e_.view.viewport()->mapToGlobal(at), {}, {0, any(2) ? 120 : -120}, {}, any(4) ? Qt::NoModifier : Qt::ShiftModifier, Qt::NoScrollPhase, false);
                 QApplication::sendEvent(e_.view.viewport(), &wheel);
             }},
            {"tab", 4, [this] { key(Qt::Key_Tab); fill_search(); }},
            {"delete", 2, [this] { key(Qt::Key_Delete); }},
            {"delete and heal", 2, control(Qt::Key_Delete)},
            {"undo", 9, control(Qt::Key_Z)},
            {"redo", 6, [this] { key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier); }},
            {"copy", 3, control(Qt::Key_C)},
            {"cut", 1, control(Qt::Key_X)},
            {"paste", 3, control(Qt::Key_V)},
            {"paste foreign text", 1, [this] { paste_foreign_text(); }},
            {"duplicate", 2, control(Qt::Key_D)},
            {"select all", 1, control(Qt::Key_A)},
            {"mute", 2, control(Qt::Key_M)},
            {"bypass", 2, control(Qt::Key_B)},
            {"group", 3, control(Qt::Key_G)},
            {"ungroup", 2, [this] { key(Qt::Key_G, Qt::ControlModifier | Qt::ShiftModifier); }},
            {"enter", 3, control(Qt::Key_Down)},
            {"leave", 3, control(Qt::Key_Up)},
            {"arrange", 1, [this] { key(Qt::Key_L); }},
            {"frame", 3, [this] { key(any(2) ? Qt::Key_F : Qt::Key_Home); }},
            {"run", 4, [this] { key(Qt::Key_F5, any(3) ? Qt::NoModifier : Qt::ShiftModifier); }},
            {"escape", 3, [this] { key(Qt::Key_Escape); }},
            {"edit a parameter", 14, [this] { edit_parameter(); }},
            {"set a parameter", 3, [this] { if (const NodeId id = node(); !id.empty()) e_.model.set_param(id, any(3) ? "value" : "steps", any(90)); }},
            {"add or remove", 8, [this] { grow_or_shrink(); }},
            {"connect", 8, [this] { if (const SocketId from = socket(true), to = socket(false); !from.empty() && !to.empty()) e_.model.connect_sockets(from, to); }},
            {"disconnect", 1, [this] { if (const auto links = e_.model.links(); !links.empty()) e_.model.disconnect_link(pick(links)); }},
            {"rename", 2, [this] { if (const NodeId id = node(); !id.empty()) e_.model.rename(id, QStringLiteral("name%1").arg(any(20))); }},
            {"align", 1, [this] { e_.model.align(e_.scene.sizes_of_selection(), pick(std::array{Edge::Left, Edge::Right, Edge::Top, Edge::Bottom, Edge::Spread})); }},
        };
    }

    tests::Editor& e_;
    std::mt19937 random_;
    std::vector<Event> events_;
};

int number_from(const char* variable, int usual) {
    bool given = false;
    const int number = qEnvironmentVariableIntValue(variable, &given);
    return given ? number : usual;
}

}  // namespace

class MonkeyTest : public QObject {
    Q_OBJECT

private slots:
    // What the monkey found.
    void selected_nodes_go_with_their_level() {
        tests::Editor e;
        const NodeId only = e.model.add_node("stub.kinds", {});
        e.scene.select({only});
        e.trigger("group");  // the last item of the scene goes while it is selected
        const auto uses = e.model.node_ids();
        QCOMPARE(uses.size(), std::size_t{1});
        QVERIFY(e.scene.item(uses.front()));
        e.model.add_node("stub.add", {300, 0});
        for (int i = 0; i < 20; ++i) {
            e.scene.select({uses.front()});
            e.trigger("enter");
            e.scene.select({only});
            e.trigger("leave");
        }
        QVERIFY(e.scene.selected_nodes().empty());
    }
    void random_events_lose_nothing() {
        const int events = number_from("HEDDLE_MONKEY_EVENTS", usual_events);
        const int seed = number_from("HEDDLE_MONKEY_SEED", 1);
        const bool trace = qEnvironmentVariableIsSet("HEDDLE_MONKEY_TRACE");
        const QTemporaryDir folder;
        tests::Editor e;
        e.window.runs().set_output_folder(folder.path());
        UndoLog log(e.model);
        HeardLinks links(e.model);
        Monkey monkey(e, static_cast<unsigned>(seed));
        QSignalSpy runs(&e.window.runs(), &RunController::finished);
        std::map<std::string, int> counts;
        for (int i = 0; i < events; ++i) {
            const std::string name = monkey.act();
            ++counts[name];
            if (trace) std::fprintf(stderr, "%d %s (%zu nodes, %zu links, level %zu)\n", i, name.c_str(), e.model.node_ids().size(), e.model.links().size(), e.model.levels().size());
            QCoreApplication::processEvents();
            const QString problem = links.problem();
            QVERIFY2(log.broken() < 0, qPrintable(QStringLiteral("event %1 (%2, seed %3): step %4 came back different").arg(i).arg(qt(name)).arg(seed).arg(log.broken())));
            QVERIFY2(problem.isEmpty(), qPrintable(QStringLiteral("event %1 (%2, seed %3): %4").arg(i).arg(qt(name)).arg(seed).arg(problem)));
            for (const NodeId& id : e.model.node_ids()) QVERIFY2(e.scene.item(id), name.c_str());
        }
        e.window.queue().clear();
        e.window.runs().cancel();
        QVERIFY(e.wait_for_run());
        const QByteArray end = e.model.whole().to_json();
        const int steps = e.model.undo_stack().index();
        QVERIFY(steps > 0);
        const int wrong = log.replay();
        QVERIFY2(wrong < 0, qPrintable(QStringLiteral("step %1 of %2 differs (seed %3)").arg(wrong).arg(steps).arg(seed)));
        QCOMPARE(e.model.whole().to_json(), end);
        e.model.undo_stack().setIndex(0);
        QCOMPARE(e.model.whole().to_json(), log.oldest().to_json());
        qInfo("%d events, %d undo steps, %d runs ended", events, steps, static_cast<int>(runs.count()));
    }
};

HEDDLE_TEST(monkey, MonkeyTest)
#include "monkey.moc"
