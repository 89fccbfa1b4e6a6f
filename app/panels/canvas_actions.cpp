#include "app/panels/canvas_actions.h"

#include <QLineEdit>
#include <QSettings>

#include "app/model/favourites.h"
#include "app/panels/keys_dialog.h"
#include "app/panels/preset_menu.h"
#include "nodes/core/registry.h"

namespace app {
namespace {

const QString minimap_key = QStringLiteral("minimap"), snap_key = QStringLiteral("snap"), memory_key = QStringLiteral("memory_on_nodes");

struct Tone {
    const char* name;
    const char* text;
    const char* colour;
};
constexpr Tone tones[] = {{"red", QT_TRANSLATE_NOOP("app::CanvasActions", "&Red"), "#d1605e"},       {"orange", QT_TRANSLATE_NOOP("app::CanvasActions", "&Orange"), "#d98b45"},
                          {"yellow", QT_TRANSLATE_NOOP("app::CanvasActions", "&Yellow"), "#cdb24a"}, {"green", QT_TRANSLATE_NOOP("app::CanvasActions", "&Green"), "#5fae6e"},
                          {"cyan", QT_TRANSLATE_NOOP("app::CanvasActions", "&Cyan"), "#4aa9b5"},     {"blue", QT_TRANSLATE_NOOP("app::CanvasActions", "&Blue"), "#4d86d6"},
                          {"violet", QT_TRANSLATE_NOOP("app::CanvasActions", "&Violet"), "#9a72cf"}};

QIcon dot(const QColor& colour) {
    QPixmap picture(12, 12);
    picture.fill(colour);
    return picture;
}

}  // namespace

CanvasActions::CanvasActions(QWidget& window, GraphView& view, QMenu* edit, QMenu* view_menu)
    : QObject(&window), window_(window), view_(view), scene_(view.graph()), model_(scene_.model()) {
    edit->addSeparator();
    build_frames(edit);
    build_colours(edit);
    build_keyboard(edit);
    view_menu->addSeparator();
    build_find(view_menu);
    build_bookmarks(view_menu);
    view_menu->addSeparator();
    add(view_menu, "keys", tr("&Keys..."), QKeySequence(Qt::CTRL | Qt::Key_K), [this] {
        KeysDialog dialog(*keys_, &window_);
        dialog.exec();
    });
    keys_ = new KeyBindings(window);
    connect(&view_, &GraphView::menu_wanted, this, [this](QPoint global, QPointF at) { menu_at(at)->exec(global); });
}

QAction* CanvasActions::add(QMenu* menu, const char* name, const QString& text, const QKeySequence& keys, std::function<void()> act) {
    QAction* made = menu->addAction(text);
    made->setObjectName(QString::fromLatin1(name));
    made->setShortcut(keys);
    connect(made, &QAction::triggered, this, [this, act = std::move(act)] {
        try {
            act();
        } catch (const std::exception& problem) {
            emit scene_.message(QString::fromUtf8(problem.what()));
        }
    });
    return made;
}

QAction* CanvasActions::add_on_canvas(QMenu* menu, const char* name, const QString& text, const QKeySequence& keys, std::function<void()> act) {
    QAction* made = add(menu, name, text, keys, std::move(act));
    made->setShortcutContext(Qt::WidgetShortcut);
    view_.addAction(made);
    return made;
}

// --- frames and colours ---

void CanvasActions::build_frames(QMenu* menu) {
    add(menu, "frame", tr("&Frame Nodes"), QKeySequence(Qt::CTRL | Qt::Key_J), [this] { make_frame(); });
    add(menu, "unframe", tr("Remove Fra&me"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_J), [this] { remove_frames(); });
    into_frame_ = menu->addMenu(tr("P&ut into Frame"));
    into_frame_->setObjectName(QStringLiteral("into_frame"));
    connect(into_frame_, &QMenu::aboutToShow, this, &CanvasActions::fill_frames);
    add(menu, "rename", tr("Re&name"), QKeySequence(Qt::Key_F2), [this] { rename(); });
}

void CanvasActions::build_colours(QMenu* menu) {
    colours_ = menu->addMenu(tr("C&olour"));
    for (const Tone& tone : tones) {
        const QColor value = QColor::fromString(QLatin1String(tone.colour));
        add(colours_, QByteArray("colour_").append(tone.name).constData(), tr(tone.text), {}, [this, value] { colour(value); })->setIcon(dot(value));
    }
    add(colours_, "colour_none", tr("&None"), {}, [this] { colour({}); });
}

void CanvasActions::make_frame() {
    const FrameId made = model_.add_frame(scene_.selected_nodes(), tr("Frame"));
    if (made.empty()) return;
    scene_.grasp(made);
    view_.frame_title()->open(made);
}

std::set<FrameId> CanvasActions::touched_frames() const {
    std::set<FrameId> found = scene_.selected_frames();
    for (const NodeId& id : scene_.selected_nodes())
        if (const FrameItem* frame = scene_.frame_item(model_.frame_of(id)); frame && !frame->selected()) found.insert(frame->id());
    return found;
}

void CanvasActions::remove_frames() {
    if (const auto frames = touched_frames(); !frames.empty()) model_.remove_frames(frames);
}

// Selected frames as a whole, and selected nodes that are in no frame which is selected with all its nodes.
void CanvasActions::fill_frames() {
    into_frame_->clear();
    const nodes::Frames& all = model_.frames();
    const std::set<FrameId> frames = scene_.selected_frames();
    std::vector<NodeId> ids = scene_.selected_nodes();
    std::erase_if(ids, [&](const NodeId& id) {
        return std::ranges::any_of(scene_.frame_items(), [&](const auto& entry) { return entry.second->selected() && std::ranges::binary_search(entry.second->nodes(), id); });
    });
    const auto offer = [&](const QString& text, const FrameId& into) {
        const auto elsewhere = [&](const FrameId& now) { return now != into; };
        if (!std::ranges::any_of(frames, [&](const FrameId& id) { return elsewhere(all.at(id).around); }) &&
            !std::ranges::any_of(ids, [&](const NodeId& id) { return elsewhere(model_.frame_of(id)); }))
            return;
        connect(into_frame_->addAction(text), &QAction::triggered, this, [this, ids, frames, into] { model_.put_into_frame(ids, frames, into); });
    };
    for (const auto& [id, frame] : all) {
        if (std::ranges::any_of(frames, [&, &id = id](const FrameId& moved) { return id == moved || nodes::is_within(all, id, moved); })) continue;
        QString text;
        for (FrameId at = id; !at.empty(); at = all.at(at).around) {
            QString title = qt(all.at(at).title);
            text = title.replace('&', QStringLiteral("&&")) + (text.isEmpty() ? QString() : QStringLiteral(" \u203a ") + text);
        }
        offer(text, id);
    }
    if (!into_frame_->isEmpty()) into_frame_->addSeparator();
    offer(tr("&None"), {});
    if (into_frame_->isEmpty()) into_frame_->addAction(tr("No other frames"))->setEnabled(false);
}

void CanvasActions::rename() {
    if (const auto frames = scene_.selected_frames(); frames.size() == 1) return view_.frame_title()->open(*frames.begin());
    auto* name = window_.findChild<QLineEdit*>(QStringLiteral("node_name"));
    if (!name || scene_.selected_nodes().size() != 1) return;
    name->setFocus();
    name->selectAll();
}

void CanvasActions::colour(const QColor& colour) {
    if (const auto frames = scene_.selected_frames(); !frames.empty())
        model_.set_frame_colour(frames, colour);
    else if (const auto ids = scene_.selected_nodes(); !ids.empty())
        model_.set_node_colour(ids, colour);
}

// --- finding and places ---

void CanvasActions::build_find(QMenu* menu) {
    add(menu, "find", tr("&Find..."), QKeySequence::Find, [this] { view_.find_bar().open(); });
    add(menu, "find_next", tr("Find &Next"), QKeySequence(Qt::Key_F3), [this] { view_.find_bar().step(1); });
    add(menu, "find_previous", tr("Find &Previous"), QKeySequence(Qt::SHIFT | Qt::Key_F3), [this] { view_.find_bar().step(-1); });
    const auto toggle = [&](const char* name, const QString& text, const QKeySequence& keys, const QString& key, auto apply) {
        QAction* made = menu->addAction(text);
        made->setObjectName(QString::fromLatin1(name));
        made->setShortcut(keys);
        made->setCheckable(true);
        connect(made, &QAction::toggled, this, [key, apply](bool on) {
            QSettings().setValue(key, on);
            apply(on);
        });
        made->setChecked(QSettings().value(key, false).toBool());
    };
    toggle("minimap", tr("&Minimap"), QKeySequence(Qt::Key_M), minimap_key, [this](bool on) {
        view_.place_overlays();
        view_.minimap().setVisible(on);
    });
    toggle("snap", tr("&Snap to Grid"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L), snap_key, [this](bool on) { scene_.set_snapping(on); });
    toggle("memory", tr("Memor&y on Nodes"), {}, memory_key, [this](bool on) { scene_.set_showing_memory(on); });
}

void CanvasActions::build_bookmarks(QMenu* menu) {
    QMenu* marks = menu->addMenu(tr("&Bookmarks"));
    for (int digit = 1; digit <= 9; ++digit)
        add(marks, QStringLiteral("bookmark_%1").arg(digit).toLatin1().constData(), tr("Go to Bookmark &%1").arg(digit), QKeySequence(Qt::CTRL | Qt::Key(Qt::Key_0 + digit)),
            [this, digit] {
                const auto mark = bookmark_of(model_.whole(), digit);
                if (!mark || !view_.go_to(*mark)) emit scene_.message(mark ? tr("The subgraph of bookmark %1 is gone").arg(digit) : tr("There is no bookmark %1 yet").arg(digit));
            });
    marks->addSeparator();
    for (int digit = 1; digit <= 9; ++digit)
        add(marks, QStringLiteral("set_bookmark_%1").arg(digit).toLatin1().constData(), tr("Set Bookmark %1").arg(digit),
            QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key(Qt::Key_0 + digit)),
            [this, digit] { model_.change_whole(tr("Set bookmark %1").arg(digit), with_bookmark(model_.whole(), digit, view_.bookmark())); });
}

// --- the keyboard ---

void CanvasActions::build_keyboard(QMenu* menu) {
    QMenu* keyboard = menu->addMenu(tr("On the &Canvas"));
    add_on_canvas(keyboard, "search", tr("Add &Node Here..."), QKeySequence(Qt::Key_Tab), [this] { view_.open_search(); });
    add_on_canvas(keyboard, "connect", tr("&Connect..."), QKeySequence(Qt::Key_C), [this] { view_.open_connect(); });
    add_on_canvas(keyboard, "disconnect", tr("&Disconnect"), QKeySequence(Qt::SHIFT | Qt::Key_C), [this] {
        std::set<LinkId> links;
        for (const NodeId& id : scene_.selected_nodes())
            for (const LinkId& link : model_.links_of(id)) links.insert(link);
        if (!links.empty()) model_.remove({}, {links.begin(), links.end()});
    });
    add_on_canvas(keyboard, "activate", tr("&Open"), QKeySequence(Qt::Key_E), [this] {
        if (const auto ids = scene_.selected_nodes(); ids.size() == 1) emit scene_.node_activated(ids.front());
    });
    add_on_canvas(keyboard, "select_after", tr("Select What &Follows"), QKeySequence(Qt::Key_BracketRight), [this] {
        std::set<NodeId> found;
        for (const NodeId& id : scene_.selected_nodes()) found.merge(model_.downstream(id));
        if (!found.empty()) scene_.select({found.begin(), found.end()});
    });
    const std::tuple<const char*, QString, Qt::Key, Toward> ways[] = {{"left", tr("Left"), Qt::Key_Left, Toward::Left},
                                                                      {"right", tr("Right"), Qt::Key_Right, Toward::Right},
                                                                      {"up", tr("Up"), Qt::Key_Up, Toward::Up},
                                                                      {"down", tr("Down"), Qt::Key_Down, Toward::Down}};
    const auto family = [&](const char* prefix, const QString& text, Qt::KeyboardModifiers modifiers, auto act) {
        for (const auto& [name, way, key, toward] : ways)
            add_on_canvas(keyboard, QByteArray(prefix).append(name).constData(), text.arg(way), QKeySequence(QKeyCombination(modifiers, key)),
                          [toward = toward, act] { act(toward); });
    };
    keyboard->addSeparator();
    family("go_", tr("Go %1"), {}, [this](Toward toward) { view_.step_focus(toward); });
    keyboard->addSeparator();
    family("nudge_", tr("Move %1"), Qt::ShiftModifier, [this](Toward toward) { view_.nudge(toward); });
    keyboard->addSeparator();
    family("pan_", tr("Look %1"), Qt::AltModifier, [this](Toward toward) { view_.pan(toward); });
    keyboard->addSeparator();
    const std::tuple<const char*, QString, Qt::Key, Toward> sizes[] = {{"frame_wider", tr("Make Frame &Wider"), Qt::Key_Right, Toward::Right},
                                                                       {"frame_narrower", tr("Make Frame Na&rrower"), Qt::Key_Left, Toward::Left},
                                                                       {"frame_taller", tr("Make Frame &Taller"), Qt::Key_Down, Toward::Down},
                                                                       {"frame_shorter", tr("Make Frame &Shorter"), Qt::Key_Up, Toward::Up}};
    for (const auto& [name, text, key, toward] : sizes)
        add_on_canvas(keyboard, name, text, QKeySequence(QKeyCombination(Qt::AltModifier | Qt::ShiftModifier, key)),
                      [this, toward = toward] { view_.resize_frames(toward); });
    add_on_canvas(keyboard, "frame_fit", tr("&Fit Frame to Content"), QKeySequence(QKeyCombination(Qt::AltModifier | Qt::ShiftModifier, Qt::Key_Home)),
                  [this] { scene_.fit_frames_to_content(); });
}

// --- the right button ---

std::unique_ptr<QMenu> CanvasActions::menu_at(QPointF at) {
    auto menu = std::make_unique<QMenu>();
    const auto take = [&](std::initializer_list<const char*> names) {
        for (const char* name : names)
            if (QAction* known = *name ? action(name) : menu->addSeparator()) menu->addAction(known);
    };
    const NodeItem* node = nullptr;
    for (QGraphicsItem* any : scene_.items(at))
        if ((node = qgraphicsitem_cast<NodeItem*>(any))) break;
    if (node) {
        if (!node->isSelected()) scene_.select({node->id()});
        take({"run_selected", "", "mute", "bypass", "", "cut", "copy", "duplicate", "delete", "dissolve", "", "connect", "disconnect", "", "frame", "unframe", "group"});
        menu->addMenu(into_frame_);
        menu->addMenu(colours_);
        auto* presets = new QMenu(menu.get());  // the menu owns it
        presets->setObjectName(QStringLiteral("presets"));
        fill_with_presets(presets, model_, &window_, [id = node->id()] { return id; }, [this](const QString& why) { emit scene_.message(why); });
        menu->addMenu(presets);
    } else if (const FrameItem* frame = scene_.frame_title_at(at)) {
        scene_.take_frame(frame->id());
        take({"rename", "mute", "bypass", "", "copy", "duplicate", "delete", "", "frame", "unframe"});
        menu->addMenu(into_frame_);
        menu->addMenu(colours_);
    } else if (const WireItem* wire = scene_.wire_at(at)) {
        const LinkId link = *wire->link();
        connect(menu->addAction(tr("Add &Reroute")), &QAction::triggered, this, [this, link, at] { scene_.add_reroute(link, at); });
        connect(menu->addAction(tr("Add &Node...")), &QAction::triggered, this, [this, link, at] { view_.open_search_on(at, link); });
        connect(menu->addAction(tr("&Delete Wire")), &QAction::triggered, this, [this, link] { model_.disconnect_link(link); });
    } else {
        connect(menu->addAction(tr("Add &Node...")), &QAction::triggered, this, [this, at] { view_.open_search_at(at, {}); });
        if (const auto types = favourite_types(); !types.empty()) {
            QMenu* favourites = menu->addMenu(tr("Add &Favourite"));
            favourites->setObjectName(QStringLiteral("favourites"));
            for (const std::string& type : types)
                connect(favourites->addAction(qt(nodes::find_node_type(type)->info().title)), &QAction::triggered, this,
                        [this, type, at] { scene_.select({model_.add_node(type, at)}); });
        }
        take({"paste", "select_all", "", "arrange", "frame_all", "find"});
    }
    return menu;
}

}  // namespace app
