#include "app/panels/viewer_panel.h"

#include <QHBoxLayout>
#include <QVBoxLayout>
#include <algorithm>

#include "app/panels/icons.h"
#include "nodes/core/validate.h"

namespace app {

ViewerPanel::ViewerPanel(GraphModel& model, RunController& runs, QWidget* parent)
    : QWidget(parent),
      model_(model),
      runs_(runs),
      view_(new PictureView(this)),
      title_(new QLabel(this)),
      pin_(new QToolButton(this)),
      fit_(new QToolButton(this)),
      actual_(new QToolButton(this)) {
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(12, 4, 6, 4);
    bar->setSpacing(2);
    title_->setObjectName(QStringLiteral("dim"));
    title_->setTextFormat(Qt::PlainText);
    title_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    bar->addWidget(title_, 1);
    pin_->setCheckable(true);
    pin_->setToolTip(tr("Stay with this output"));
    pin_->setObjectName(QStringLiteral("pin"));
    fit_->setToolTip(tr("Fit to the panel (double click)"));
    actual_->setToolTip(tr("Actual size"));
    for (QToolButton* button : {pin_, fit_, actual_}) bar->addWidget(button);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(view_, 1);
    restyle();

    connect(fit_, &QToolButton::clicked, view_, &PictureView::fit);
    connect(actual_, &QToolButton::clicked, view_, &PictureView::actual_size);
    connect(view_, &PictureView::pixel_hovered, this, &ViewerPanel::pixel_hovered);
    connect(view_, &PictureView::zoom_changed, this, &ViewerPanel::refresh_title);
    connect(&model_, &GraphModel::reset, this, [this] {
        pin_->setChecked(false);
        source_ = {};
        followed_.clear();
        view_->set_picture({});
        refresh_title();
    });
    connect(&model_, &GraphModel::level_changed, this, [this] { source_ = {}, followed_ = {}; });      // the picture stays
    connect(&model_, &GraphModel::node_renamed, this, [this](const NodeId& from, const NodeId& to) {
        if (source_.node == from) source_.node = to;
        refresh_title();
    });
    connect(&runs_, &RunController::values_changed, this, [this](const NodeId& id) {
        if (id == source_.node) runs_.request_picture(source_);
    });
    connect(&runs_, &RunController::picture_ready, this, [this](const SocketId& output, const QImage& image) {
        if (output != source_ || image.isNull()) return;
        view_->set_picture(image);
        refresh_title();
    });
    // The first run shows its result without being asked: of the selected node, else of what was written.
    connect(&runs_, &RunController::finished, this, [this] {
        if (!source_.empty() && model_.contains(source_.node)) return;
        std::vector<NodeId> candidates = nodes::default_targets(model_.document());
        std::ranges::stable_partition(candidates, [this](const NodeId& id) {
            const nodes::Node* type = model_.declaration(id);
            return type && type->info().side_effect;
        });
        candidates.insert(candidates.begin(), followed_);
        for (const NodeId& id : candidates)
            if (const SocketId output = picture_output(id); !output.empty()) return show_output(output);
    });
    refresh_title();
}

void ViewerPanel::restyle() {
    pin_->setIcon(icon(Glyph::Pin));
    fit_->setIcon(icon(Glyph::Fit));
    actual_->setIcon(icon(Glyph::ActualSize));
    view_->update();
}

SocketId ViewerPanel::picture_output(const NodeId& id) const {
    for (const OutputValue& output : runs_.values(id))
        if (output.value.type() && output.value.type()->preview) return {id, output.socket, true};
    for (const LinkId& link : model_.links_of(id)) {
        if (link.to.node != id) continue;
        for (const OutputValue& output : runs_.values(link.from.node))
            if (output.socket == link.from.socket && output.value.type() && output.value.type()->preview)
                return link.source();
    }
    return {};
}

void ViewerPanel::show_node(const NodeId& id) {
    followed_ = id;
    if (pin_->isChecked()) return;
    if (const SocketId output = picture_output(id); !output.empty()) show_output(output);
}

void ViewerPanel::show_output(const SocketId& output) {
    source_ = output;
    runs_.request_picture(output);
    refresh_title();
}

void ViewerPanel::refresh_title() {
    if (source_.empty()) return title_->clear();
    const QImage& image = view_->picture();
    QString text = qt(source_.endpoint().text());
    if (!image.isNull())
        text += QStringLiteral("   %1 \u00d7 %2   %3 %")
                    .arg(image.width())
                    .arg(image.height())
                    .arg(qRound(view_->zoom() * view_->devicePixelRatioF() * 100));
    title_->setText(text);
    title_->setToolTip(runs_.value_summary(source_));
}

}  // namespace app
