#include "app/panels/viewer_panel.h"

#include <QHBoxLayout>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>

#include "app/canvas/style.h"
#include "app/panels/box_tool.h"
#include "app/panels/colour_pick_tool.h"
#include "app/panels/icons.h"
#include "app/panels/viewer_icons.h"
#include "nodes/core/picture_names.h"
#include "nodes/core/validate.h"
#include "nodes/types/text.h"

namespace app {

ViewerPanel::ViewerPanel(GraphModel& model, RunController& runs, QWidget* parent)
    : QWidget(parent),
      model_(model),
      runs_(runs),
      pictures_(new QWidget(this)),
      view_(new PictureView(this)),
      edit_(new DirectEditor(model, *view_, this)),
      street_(new StreetEditor(model, this)),
      frames_(new FrameBar(this)),
      histogram_(new HistogramView(this)),
      title_(new QLabel(this)),
      adjustments_(new QWidget(this)) {
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(12, 4, 6, 4);
    bar->setSpacing(2);
    title_->setObjectName(QStringLiteral("dim"));
    title_->setTextFormat(Qt::PlainText);
    title_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    bar->addWidget(title_, 1);
    keep_ = add_button("keep", tr("Keep this picture as A, to compare others with it"), bar);
    wipe_ = add_button("wipe", tr("A and this picture beside a line that can be dragged"), bar);
    difference_ = add_button("difference", tr("How far A and this picture are apart"), bar);
    overlay_ = add_button("overlay", tr("A mask in colour over the other picture"), bar);
    adjust_ = add_button("adjust", tr("Channels, exposure, gamma, histogram"), bar);
    pin_ = add_button("pin", tr("Stay with this output"), bar);
    fit_ = add_button("fit", tr("Fit to the panel (double click)"), bar);
    actual_ = add_button("actual", tr("Actual size"), bar);
    for (QToolButton* button : {wipe_, difference_, overlay_, adjust_, pin_}) button->setCheckable(true);
    for (QToolButton* button : {wipe_, difference_, overlay_}) button->hide();  // until there is an A
    build_adjustments();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(pictures_, 1);
    layout->addWidget(street_, 1);
    auto* pictures = new QVBoxLayout(pictures_);
    pictures->setContentsMargins(0, 0, 0, 0);
    pictures->setSpacing(0);
    pictures->addWidget(edit_);
    pictures->addWidget(adjustments_);
    pictures->addWidget(view_, 1);
    pictures->addWidget(histogram_);
    pictures->addWidget(frames_);
    street_->hide();
    adjustments_->hide();
    histogram_->hide();
    restyle();

    view_->set_describe([this](int x, int y) { return describe(x, y); });
    connect(fit_, &QToolButton::clicked, this, [this] { street_->active() ? street_->fit() : view_->fit(); });
    connect(street_, &StreetEditor::active_changed, this, &ViewerPanel::show_street);
    connect(actual_, &QToolButton::clicked, view_, &PictureView::actual_size);
    connect(keep_, &QToolButton::clicked, this, &ViewerPanel::keep_as_a);
    connect(wipe_, &QToolButton::clicked, this, [this](bool on) { set_compare(on ? Compare::Wipe : Compare::Off); });
    connect(difference_, &QToolButton::clicked, this, [this](bool on) { set_compare(on ? Compare::Difference : Compare::Off); });
    connect(overlay_, &QToolButton::clicked, this, [this](bool on) { set_compare(on ? Compare::Overlay : Compare::Off); });
    connect(adjust_, &QToolButton::toggled, this, [this](bool on) {
        adjustments_->setVisible(on);
        histogram_->setVisible(on);
    });
    connect(view_, &PictureView::pixel_hovered, this, &ViewerPanel::pixel_hovered);
    connect(view_, &PictureView::zoom_changed, this, &ViewerPanel::refresh_title);
    connect(frames_, &FrameBar::wanted, this, &ViewerPanel::load);
    connect(&reader_, &ValueReader::frame_duration, frames_, &FrameBar::set_duration);
    connect(&reader_, &ValueReader::picture_read, this, [this](const PicturePtr& picture) {
        if (!picture) return;
        shown_ = picture;
        frames_->show_frame(picture->index, picture->count);
        render();
    });
    connect(edit_, &DirectEditor::picture_changed, this, [this] {
        watch();
        if (!pick_) show_under_tool();  // the colours that are picked change the node
    });
    connect(&model_, &GraphModel::reset, this, [this] {
        pin_->setChecked(false);
        followed_.clear();
        sought_.clear();
        kept_.reset();
        set_compare(Compare::Off);
        clear();
    });
    connect(&model_, &GraphModel::level_changed, this, [this] { source_ = {}, followed_ = {}, sought_ = {}; });      // the picture stays
    connect(&model_, &GraphModel::node_renamed, this, [this](const NodeId& from, const NodeId& to) {
        if (source_.node == from) source_.node = to;
        refresh_title();
    });
    connect(&runs_, &RunController::values_changed, this, [this](const NodeId& id) {
        if (id == source_.node) load(frames_->index());
        show_found(id);
        if (id == edit_->box_picture().node) fit_tool();
    });
    // The first run shows its result without being asked: of the selected node, else of what was written.
    connect(&runs_, &RunController::finished, this, [this] {
        if (edit_->active() && view_->picture().isNull()) show_under_tool();
        // Of the run before, where this one did not need to visit the node.
        std::vector<NodeId> looked_at = under_;
        if (!source_.empty()) looked_at.push_back(source_.node);
        runs_.find_values(looked_at);
        if (!source_.empty() && model_.contains(source_.node)) return;
        if (blank_) return;  // is drawn on
        std::vector<NodeId> candidates = nodes::default_targets(model_.document());
        std::stable_partition(candidates.begin(), candidates.end(), [this](const NodeId& id) {
            const nodes::Node* type = model_.declaration(id);
            return type && type->info().side_effect;
        });
        candidates.insert(candidates.begin(), followed_);
        for (const NodeId& id : candidates)
            if (const SocketId output = picture_output(id); !output.empty()) return show_output(output);
    });
    refresh_title();
}

QToolButton* ViewerPanel::add_button(const char* name, const QString& tip, QLayout* bar) {
    auto* button = new QToolButton(this);
    button->setObjectName(QString::fromLatin1(name));
    button->setToolTip(tip);
    button->setAccessibleName(tip);
    bar->addWidget(button);
    return button;
}

void ViewerPanel::build_adjustments() {
    auto* bar = new QHBoxLayout(adjustments_);
    bar->setContentsMargins(10, 0, 6, 4);
    bar->setSpacing(4);
    channel_ = new QComboBox;
    channel_->setObjectName(QStringLiteral("channel"));
    channel_->setAccessibleName(tr("Channel"));
    channel_->setToolTip(tr("Channel; of latents and tensors red, green, blue and alpha are the first four"));
    channel_->addItems({tr("RGB"), tr("Red"), tr("Green"), tr("Blue"), tr("Alpha"), tr("Luminance")});
    bar->addWidget(channel_, 1);
    const auto number = [&](const char* name, const QString& prefix, const QString& suffix, const QString& tip, double low, double high, double initial, double step) {
        auto* box = new QDoubleSpinBox;
        box->setObjectName(QString::fromLatin1(name));
        box->setAccessibleName(tip);
        box->setToolTip(tip);
        box->setPrefix(prefix);
        box->setSuffix(suffix);
        box->setRange(low, high);
        box->setSingleStep(step);
        box->setValue(initial);
        box->setButtonSymbols(QAbstractSpinBox::NoButtons);
        bar->addWidget(box, 1);
        return box;
    };
    exposure_ = number("exposure", {}, tr(" stops"), tr("Exposure: colours are multiplied by 2 to this power"), -20, 20, 0, 0.25);
    gamma_ = number("gamma", tr("\u03b3 "), {}, tr("Gamma: v to the power of one by this is shown"), 0.1, 10, 1, 0.1);
    stretch_ = new QToolButton;
    stretch_->setObjectName(QStringLiteral("stretch"));
    stretch_->setText(tr("Range"));
    stretch_->setCheckable(true);
    stretch_->setToolTip(tr("The least value black and the largest white: for depth, latents and tensors"));
    bar->addWidget(stretch_);
    auto* reset = new QToolButton;
    reset->setObjectName(QStringLiteral("reset_view"));
    reset->setText(tr("Reset"));
    reset->setToolTip(tr("As it is"));
    bar->addWidget(reset);
    const auto changed = [this] {
        set_settings({.channel = static_cast<Channel>(channel_->currentIndex()), .exposure = exposure_->value(), .gamma = gamma_->value(), .stretch = stretch_->isChecked()});
    };
    connect(channel_, &QComboBox::currentIndexChanged, this, changed);
    connect(exposure_, &QDoubleSpinBox::valueChanged, this, changed);
    connect(gamma_, &QDoubleSpinBox::valueChanged, this, changed);
    connect(stretch_, &QToolButton::toggled, this, changed);
    connect(reset, &QToolButton::clicked, this, [this] { set_settings({}); });
}

void ViewerPanel::set_settings(const ViewSettings& settings) {
    const QSignalBlocker a(channel_), b(exposure_), c(gamma_), d(stretch_);
    channel_->setCurrentIndex(static_cast<int>(settings.channel));
    exposure_->setValue(settings.exposure);
    gamma_->setValue(settings.gamma);
    stretch_->setChecked(settings.stretch);
    if (settings == settings_) return;
    settings_ = settings;
    render();
}

void ViewerPanel::restyle() {
    keep_->setIcon(viewer_icon(ViewerGlyph::Keep));
    wipe_->setIcon(viewer_icon(ViewerGlyph::Wipe));
    difference_->setIcon(viewer_icon(ViewerGlyph::Difference));
    overlay_->setIcon(viewer_icon(ViewerGlyph::Overlay));
    adjust_->setIcon(viewer_icon(ViewerGlyph::Adjust));
    pin_->setIcon(icon(Glyph::Pin));
    fit_->setIcon(icon(Glyph::Fit));
    actual_->setIcon(icon(Glyph::ActualSize));
    edit_->restyle();
    frames_->restyle();
    view_->update();
}

SocketId ViewerPanel::picture_output(const NodeId& id) const {
    for (const OutputValue& output : runs_.values(id))
        if (can_show(output.value)) return {id, output.socket, true};
    for (const LinkId& link : model_.links_of(id)) {
        if (link.to.node != id) continue;
        for (const OutputValue& output : runs_.values(link.from.node))
            if (output.socket == link.from.socket && can_show(output.value)) return link.source();
    }
    return {};
}

nodes::Value ViewerPanel::value_of(const SocketId& output) const {
    if (output.empty() || !model_.contains(output.node)) return {};
    for (const OutputValue& value : runs_.values(output.node))
        if (value.socket == output.name) return value.value;
    return {};
}

void ViewerPanel::show_node(const NodeId& id) {
    end_pick();
    followed_ = id;
    sought_.clear();
    under_.clear();
    edit_->show_node(id);
    street_->show_node(id);
    watch();
    if (street_->active()) return refresh_title();
    if (edit_->active()) return show_under_tool();
    if (pin_->isChecked() && !blank_) return;
    if (model_.contains(id)) seek(id);
    if (const SocketId output = picture_output(id); !output.empty()) return show_output(output);
    if (blank_) clear();
}

// The pictures under a tool are made by a run even where nothing else needs them.
void ViewerPanel::watch() {
    std::vector<NodeId> ids;
    for (const SocketId& under : {edit_->picture(), edit_->box_picture()})
        if (!under.empty()) ids.push_back(under.node);
    runs_.watch(ids);
    if (std::exchange(under_, ids) != ids) runs_.find_values(ids);
}

// Results of earlier sessions, or of an edit that was taken back.
void ViewerPanel::seek(const NodeId& id) {
    const nodes::Node* type = model_.declaration(id);
    if (!type) return;
    sought_ = {id};
    if (std::ranges::none_of(type->outputs(), [](const nodes::SocketInfo& output) { return output.type->preview != nullptr; }))
        for (const LinkId& link : model_.links_of(id))
            if (link.to.node == id) sought_.push_back(link.from.node);
    runs_.find_values(sought_);
}

void ViewerPanel::show_found(const NodeId& id) {
    if (std::ranges::find(sought_, id) == sought_.end() || edit_->active() || street_->active() || (pin_->isChecked() && !blank_)) return;
    if (const SocketId output = picture_output(sought_.front()); !output.empty() && output != source_) show_output(output);
}

void ViewerPanel::show_picture(const QImage& image, const QString& title) {
    source_ = {};
    blank_ = false;
    other_title_ = title;
    street_->show_node({});
    frames_->show_frame(0, 1);
    shown_ = picture_of(image);
    render();
}

void ViewerPanel::show_output(const SocketId& output) {
    const bool same = output == source_;
    source_ = output;
    blank_ = false;
    other_title_.clear();
    if (!same) frames_->stop();
    load(same ? frames_->index() : 0);
    refresh_title();
}

// A tool works on the picture that its node reads, on a canvas of its own size, or on whatever is shown.
void ViewerPanel::show_under_tool() {
    if (!edit_->active()) return;
    if (const SocketId under = edit_->picture(); !under.empty()) {
        if (under == source_ && shown_) return fit_tool();
        if (!value_of(under).empty()) return show_output(under);
        clear();
        source_ = under;
        return view_->set_hint(tr("Run the graph once to see the picture here"));
    }
    const QSize canvas = edit_->canvas();
    if (!canvas.isEmpty() && (edit_->mask_tool() || !shown_ || blank_)) return show_blank(canvas);
    if (!shown_) view_->set_hint(edit_->pose_tool() ? tr("Add a person to begin") : tr("Run the graph once to see the picture here"));
    fit_tool();
}

void ViewerPanel::fit_tool() {
    if (edit_->box_tool()) edit_->box_tool()->set_box_size(picture_size(value_of(edit_->box_picture())));
    edit_->set_picture_size(view_->picture().size(), shown_ ? shown_->cell : 1);
}

// In the place of the picture, which is kept.
void ViewerPanel::show_street() {
    const bool on = street_->active();
    pictures_->setVisible(!on);
    street_->setVisible(on);
    for (QToolButton* button : {keep_, wipe_, difference_, overlay_, adjust_, pin_, actual_}) button->setEnabled(!on);
    refresh_title();
}

void ViewerPanel::show_blank(QSize size) {
    if (blank_ && shown_ && QSize(shown_->width, shown_->height) == size) return;
    QImage canvas(size, QImage::Format_RGB32);
    canvas.fill(edit_->pose_tool() ? QColor(24, 24, 26) : QColor(118, 118, 122));
    source_ = {};
    blank_ = true;
    other_title_ = tr("canvas");
    frames_->show_frame(0, 1);
    shown_ = picture_of(canvas);
    render();
}

void ViewerPanel::clear() {
    end_pick();
    render_.drop();
    source_ = {};
    blank_ = false;
    other_title_.clear();
    shown_.reset();
    described_.reset();
    frames_->show_frame(0, 1);
    view_->set_picture({});
    view_->set_other({});
    view_->set_hint(tr("No picture yet"));
    edit_->set_picture_size({});
    refresh_title();
}

void ViewerPanel::load(int index) {
    if (const nodes::Value value = value_of(source_); !value.empty()) reader_.read(value, index);
}

void ViewerPanel::keep_as_a() {
    kept_ = shown_;
    kept_title_ = title_->text();
    for (QToolButton* button : {wipe_, difference_, overlay_}) {
        button->setVisible(kept_ != nullptr);
        if (kept_) button->setStatusTip(tr("A: %1").arg(kept_title_));
    }
    keep_->setToolTip(tr("Keep this picture as A, to compare others with it. Now: %1").arg(kept_title_));
    render();
}

void ViewerPanel::set_compare(Compare compare) {
    compare_ = kept_ ? compare : Compare::Off;
    const std::pair<QToolButton*, Compare> buttons[] = {{wipe_, Compare::Wipe}, {difference_, Compare::Difference}, {overlay_, Compare::Overlay}};
    for (const auto& [button, meaning] : buttons) {
        button->setChecked(compare_ == meaning);
        button->setVisible(kept_ != nullptr);
    }
    render();
}

void ViewerPanel::render() {
    if (!shown_) return;
    struct Result {
        Rendered main;
        QImage other;
        PicturePtr described;
    };
    render_.start(
        [shown = shown_, kept = compare_ == Compare::Off ? PicturePtr() : kept_, settings = settings_, compare = compare_]() -> Result {
            Result made{.described = shown};
            if (const PicturePtr apart = compare == Compare::Difference && kept ? difference(*kept, *shown) : PicturePtr()) {
                made.described = apart;
                made.main = rendered(*apart, settings);
                return made;
            }
            made.main = rendered(*shown, settings);
            if (!kept) return made;
            if (compare == Compare::Wipe) made.other = rendered(*kept, settings).image;
            // The mask is what is shown, or else what was kept.
            const QColor colour(0, 214, 120);
            if (compare == Compare::Overlay)
                made.main.image = kept->mask && !shown->mask ? overlaid(made.main.image, *kept, colour) : overlaid(rendered(*kept, settings).image, *shown, colour);
            return made;
        },
        [this](const Result& made) {
            described_ = made.described;
            view_->set_picture(made.main.image);
            view_->set_other(made.other);
            histogram_->show_histogram(made.main.histogram);
            fit_tool();
            if (pick_) view_->set_tool(pick_.get());
            refresh_title();
        });
}

// --- colours for parameters ---

bool ViewerPanel::shows_a(int x) const {
    return compare_ == Compare::Wipe && kept_ && shown_ && kept_->width == shown_->width && kept_->height == shown_->height && x < view_->wipe() * shown_->width;
}

// As it is, whatever exposure and channels it is looked at with.
QColor ViewerPanel::colour_at(QPoint pixel) const {
    const PicturePtr& picture = shows_a(pixel.x()) ? kept_ : shown_;
    return picture && picture->plain.rect().contains(pixel) ? picture->plain.pixelColor(pixel) : QColor();
}

bool ViewerPanel::pick_colour(ParamEditor* editor) {
    end_pick();
    if (!editor) return true;
    if (!shown_ || view_->picture().isNull()) {
        editor->pick_ended();
        return false;
    }
    auto made = std::make_unique<ColourPickTool>([this](QPoint pixel) { return colour_at(pixel); }, shown_->plain.rect().center());
    picked_for_ = editor;
    connect(made.get(), &ColourPickTool::picked, this, [this](const QColor& colour) {
        if (picked_for_) picked_for_->take_picked(colour);
    });
    connect(made.get(), &ColourPickTool::finished, this, &ViewerPanel::end_pick, Qt::QueuedConnection);  // not while it is at work
    pick_ = std::move(made);
    view_->set_tool(pick_.get());
    view_->setFocus();
    return true;
}

void ViewerPanel::end_pick() {
    if (!pick_) return;
    view_->set_tool(nullptr);
    pick_.reset();
    if (picked_for_) picked_for_->pick_ended();
    picked_for_.clear();
    fit_tool();
    show_under_tool();
}

QString ViewerPanel::describe(int x, int y) const {
    const bool of_a = shows_a(x);
    const PicturePtr& picture = of_a ? kept_ : described_;
    if (!picture || x >= picture->width || y >= picture->height) return {};
    return (of_a ? tr("A  ") : QString()) + pixel_text(*picture, x, y);
}

QString ViewerPanel::picture_name() const {
    const nodes::Node* type = source_.empty() || !model_.contains(source_.node) ? nullptr : model_.declaration(source_.node);
    const nodes::PictureNames named = nodes::picture_names_of(type);
    if (!shown_ || std::ranges::find(named.pictures, source_.name) == named.pictures.end()) return {};
    const nodes::Value names = value_of({source_.node, named.names, true});
    const auto* lines = names.get<std::string>();
    return lines ? qt(*lines).split('\n').value(shown_->index) : QString();
}

void ViewerPanel::refresh_title() {
    if (street_->active()) {
        title_->setText(tr("Street"));
        return title_->setToolTip({});
    }
    QString text = source_.empty() ? other_title_ : qt(source_.endpoint().text());
    // Of what has no room the end is cut.
    if (const QString name = picture_name(); !name.isEmpty()) text.prepend(QStringLiteral("\u201c%1\u201d   ").arg(name));
    const QImage& image = view_->picture();
    if (!image.isNull() && !text.isEmpty())
        text += QStringLiteral("   %1 \u00d7 %2   %3 %")
                    .arg(image.width())
                    .arg(image.height())
                    .arg(qRound(view_->zoom() * view_->devicePixelRatioF() * 100));
    title_->setText(text);
    title_->setToolTip(source_.empty() ? text : runs_.value_summary(source_));
}

}  // namespace app
