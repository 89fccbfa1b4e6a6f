#include "app/panels/gallery.h"

#include <QFileInfo>
#include <QGridLayout>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QKeyEvent>
#include <QLabel>
#include <QLocale>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/canvas/style.h"
#include "app/model/ids.h"
#include "nodes/core/node.h"
#include "nodes/core/paths.h"
#include "nodes/core/registry.h"

namespace app {
namespace {

constexpr QSize picture_size{240, 150};
constexpr QSizeF card_size{170, 90};  // of a node in a drawing, in scene units
constexpr int spacing = 16;

// The picture in the middle of a field of that size, or the drawing.
QIcon card_picture(const Example& example, qreal ratio) {
    QPixmap field(picture_size * ratio);
    field.setDevicePixelRatio(ratio);
    field.fill(canvas_style().canvas);
    QPixmap picture;
    if (example.picture.isEmpty() || !picture.load(example.picture))
        picture = draw_graph(example.graph, picture_size, ratio);
    QPainter painter(&field);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);  // pictures have one pixel where a dense screen has several
    QSizeF shown = picture.deviceIndependentSize();
    if (shown.width() > picture_size.width() || shown.height() > picture_size.height()) shown.scale(picture_size, Qt::KeepAspectRatio);
    const QPointF corner((picture_size.width() - shown.width()) / 2, (picture_size.height() - shown.height()) / 2);
    painter.drawPixmap(QRectF(corner, shown), picture, QRectF(picture.rect()));
    painter.end();
    return field;
}

QLabel* heading(const QString& text, int pixels) {
    auto* label = new QLabel(text);
    QFont font = label->font();
    font.setPixelSize(pixels);
    font.setWeight(QFont::DemiBold);
    label->setFont(font);
    label->setTextFormat(Qt::PlainText);
    return label;
}

}  // namespace

std::vector<Example> read_examples(const QString& language) {
    const QString graphs = qt(nodes::resource_folder()) + QStringLiteral("/graphs/");
    const QString pictures = graphs + QStringLiteral("gallery/");
    QFile file(pictures + QStringLiteral("gallery.json"));
    std::vector<Example> examples;
    if (!file.open(QIODevice::ReadOnly)) return examples;
    for (const QJsonValue& entry : QJsonDocument::fromJson(file.readAll()).array()) {
        const QJsonObject own = entry[language].toObject();
        const auto word = [&](const char* name) { return own.value(QLatin1String(name)).toString(entry[QLatin1String(name)].toString()); };
        Example example{graphs + entry["graph"].toString(), word("title"), word("about"), {}};
        if (const QString picture = entry["picture"].toString(); !picture.isEmpty()) example.picture = pictures + picture;
        if (QFileInfo(example.graph).isFile()) examples.push_back(example);
    }
    return examples;
}

QPixmap draw_graph(const QString& file, QSize size, qreal pixel_ratio) {
    QPixmap picture(size * pixel_ratio);
    picture.setDevicePixelRatio(pixel_ratio);
    const Style& style = canvas_style();
    picture.fill(style.canvas);
    nodes::Document document;
    try {
        document = nodes::Document::load(file.toStdString());
    } catch (const std::exception&) {  // an empty drawing
    }
    const auto card = [&](const NodeId& id) {
        const nodes::Position at = document.position(id);
        return QRectF(QPointF(at.x, at.y), card_size);
    };
    QRectF area;
    for (const NodeId& id : document.node_ids()) area |= card(id);
    if (area.isEmpty()) return picture;
    QPainter painter(&picture);
    painter.setRenderHint(QPainter::Antialiasing);
    const qreal scale = 0.88 * std::min(size.width() / area.width(), size.height() / area.height());
    painter.translate(size.width() / 2.0, size.height() / 2.0);
    painter.scale(scale, scale);
    painter.translate(-area.center());
    for (const nodes::Link& link : document.links()) {
        const QPointF from = {card(link.from.node).right(), card(link.from.node).center().y()}, to = {card(link.to.node).left(), card(link.to.node).center().y()};
        const QPointF bend(std::max(60.0, std::abs(to.x() - from.x()) / 2), 0);
        QPainterPath wire(from);
        wire.cubicTo(from + bend, to - bend, to);
        painter.strokePath(wire, QPen(style.accent, 9));
    }
    for (const NodeId& id : document.node_ids()) {
        const nodes::Node* type = nodes::find_node_type(document.node(id).type);
        const QColor tone = style.category(type ? qt(type->info().category) : QString());
        painter.setPen(QPen(style.card_border, 5));
        painter.setBrush(style.card);
        painter.drawRoundedRect(card(id), 14, 14);
        painter.setPen(Qt::NoPen);
        painter.setBrush(tone);
        painter.drawRoundedRect(card(id).adjusted(3, 3, -3, -card_size.height() * 0.55), 12, 12);
    }
    return picture;
}

Gallery::Gallery(QWidget* parent) : QScrollArea(parent) {
    setObjectName(QStringLiteral("gallery"));
    setAccessibleName(tr("Start page"));
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFrameShape(NoFrame);
    setFocusPolicy(Qt::StrongFocus);
}

void Gallery::refresh(const QStringList& recent) {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(36, 28, 36, 28);
    layout->setSpacing(14);
    layout->addWidget(heading(tr("Heddle"), 26));
    auto* buttons = new QHBoxLayout;
    const auto button = [&](const char* name, const QString& text, auto signal) {
        auto* made = new QPushButton(text);
        made->setObjectName(QString::fromLatin1(name));
        connect(made, &QPushButton::clicked, this, signal);
        buttons->addWidget(made);
    };
    button("gallery_new", tr("New Graph"), &Gallery::new_wanted);
    button("gallery_open", tr("Open..."), &Gallery::open_wanted);
    buttons->addStretch();
    layout->addLayout(buttons);
    layout->addWidget(heading(tr("Examples"), 15));
    grid_ = new QWidget;
    for (const Example& example : read_examples(QLocale().name())) {
        auto* card = new QToolButton(grid_);
        card->setObjectName(QStringLiteral("card"));
        card->setToolButtonStyle(Qt::ToolButtonTextUnderIcon);
        card->setIcon(card_picture(example, devicePixelRatioF()));
        card->setIconSize(picture_size);
        card->setText(example.title);
        card->setToolTip(example.about);
        card->setAccessibleName(example.title);
        card->setAccessibleDescription(example.about);
        card->setFocusPolicy(Qt::StrongFocus);
        card->setProperty("graph", example.graph);
        auto* about = new QLabel(example.about, grid_);
        about->setObjectName(QStringLiteral("dim"));
        about->setWordWrap(true);
        about->setAlignment(Qt::AlignHCenter | Qt::AlignTop);
        about->setFixedWidth(picture_size.width());
        connect(card, &QToolButton::clicked, this, [this, path = example.graph] { emit example_wanted(path); });
    }
    (new QGridLayout(grid_))->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(grid_);
    if (!recent.isEmpty()) layout->addWidget(heading(tr("Recent Files"), 15));
    for (const QString& path : recent) {
        auto* file = new QToolButton;
        file->setObjectName(QStringLiteral("recent_file"));
        file->setText(QFileInfo(path).fileName());
        file->setToolTip(path);
        file->setFocusPolicy(Qt::StrongFocus);
        connect(file, &QToolButton::clicked, this, [this, path] { emit file_wanted(path); });
        layout->addWidget(file);
    }
    layout->addStretch();
    delete takeWidget();
    setWidget(page);
    columns_ = 0;
    arrange();
}

std::vector<QToolButton*> Gallery::cards() const {
    const auto found = findChildren<QToolButton*>(QStringLiteral("card"));
    return {found.begin(), found.end()};
}

void Gallery::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) return emit closed();
    QScrollArea::keyPressEvent(event);
}

void Gallery::resizeEvent(QResizeEvent* event) {
    QScrollArea::resizeEvent(event);
    arrange();
}

// As many cards in a row as there is room for.
void Gallery::arrange() {
    if (!grid_) return;
    const int room = viewport()->width() - 72, columns = std::max(1, room / (picture_size.width() + spacing + 8));
    if (columns == columns_) return;
    columns_ = columns;
    auto* grid = static_cast<QGridLayout*>(grid_->layout());
    grid->setHorizontalSpacing(spacing);
    const auto cards = grid_->findChildren<QToolButton*>(QStringLiteral("card"));
    const auto texts = grid_->findChildren<QLabel*>(QStringLiteral("dim"));
    for (int i = 0; i < cards.size(); ++i) {
        grid->addWidget(cards[i], i / columns * 2, i % columns, Qt::AlignHCenter);
        grid->addWidget(texts[i], i / columns * 2 + 1, i % columns, Qt::AlignHCenter | Qt::AlignTop);
    }
    grid->setColumnStretch(columns, 1);
    for (int i = 0; i < columns; ++i) grid->setColumnStretch(i, 0);
}

}  // namespace app
