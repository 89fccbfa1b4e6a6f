#include "nodes/codec/icon_set.h"

#include <QByteArray>
#include <QFile>
#include <QImage>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPainter>
#include <QSvgRenderer>
#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

constexpr qint64 most_bytes = qint64{512} << 20;

// Nothing but what is drawn from the text itself: no file may be opened for an icon.
bool is_self_contained(const QString& body) {
    for (const char* mark : {"<image", "<script", "<foreignObject", "<!", "<?", "url(http", "url(file", "@import"})
        if (body.contains(QLatin1String(mark), Qt::CaseInsensitive)) return false;
    // References lead to a part of the same picture.
    for (qsizetype at = body.indexOf("href"); at >= 0; at = body.indexOf("href", at + 4)) {
        const QString rest = body.mid(at + 4).trimmed();
        if (!rest.startsWith("=\"#") && !rest.startsWith("='#")) return false;
    }
    return true;
}

}  // namespace

struct IconSet::Icons {
    struct Icon {
        std::string name;
        QByteArray body;
        double left, top, width, height;
    };
    std::string path, prefix;
    std::vector<Icon> all;
};

IconSet::IconSet(const std::string& path) {
    QFile file(QString::fromStdString(path));
    check(file.open(QIODevice::ReadOnly), ErrorCode::MissingFile, "{}: can not be read", path);
    check(file.size() <= most_bytes, ErrorCode::BadFile, "{}: expected a file of at most {} bytes, got {}", path, most_bytes, file.size());
    const QJsonObject set = QJsonDocument::fromJson(file.readAll()).object();
    check(set["icons"].isObject(), ErrorCode::BadFile, "{}: expected an icon set in Iconify's JSON with \"icons\", got none", path);
    auto icons = std::make_unique<Icons>();
    icons->path = path, icons->prefix = set["prefix"].toString().toStdString();
    const auto number = [](const QJsonObject& own, const QJsonObject& all, const char* key, double usual) { return own[key].toDouble(all[key].toDouble(usual)); };
    const QJsonObject bodies = set["icons"].toObject();
    for (auto at = bodies.begin(); at != bodies.end(); ++at) {
        const QJsonObject icon = at->toObject();
        const QString body = icon["body"].toString();
        Icons::Icon made{at.key().toStdString(), body.toUtf8(), number(icon, set, "left", 0), number(icon, set, "top", 0), number(icon, set, "width", 16), number(icon, set, "height", 16)};
        const bool sized = made.width > 0 && made.height > 0 && made.width <= 1e6 && made.height <= 1e6;
        if (body.isEmpty() || icon["hidden"].toBool() || !sized || !is_self_contained(body)) continue;
        icons->all.push_back(std::move(made));
    }
    check(!icons->all.empty(), ErrorCode::BadFile, "{}: expected icons that can be drawn, got none", path);
    icons_ = std::move(icons);
}

IconSet::~IconSet() = default;

std::size_t IconSet::size() const { return icons_->all.size(); }
const std::string& IconSet::prefix() const { return icons_->prefix; }
const std::string& IconSet::name(std::size_t icon) const { return icons_->all[icon].name; }

Pixels IconSet::draw(std::size_t icon, int side) const {
    const Icons::Icon& one = icons_->all[icon];
    const double scale = side / std::max(one.width, one.height);
    const int width = std::max(1, static_cast<int>(std::lround(one.width * scale))), height = std::max(1, static_cast<int>(std::lround(one.height * scale)));
    const QByteArray text = QString("<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"%1 %2 %3 %4\" width=\"%5\" height=\"%6\">")
                                .arg(one.left).arg(one.top).arg(one.width).arg(one.height).arg(width).arg(height).toUtf8() + one.body + "</svg>";
    QSvgRenderer renderer(text);
    check(renderer.isValid(), ErrorCode::BadFile, "{}: the icon {} can not be drawn", icons_->path, one.name);
    QImage image(width, height, QImage::Format_RGBA8888_Premultiplied);
    image.fill(Qt::transparent);
    {
        QPainter painter(&image);
        renderer.render(&painter, QRectF(0, 0, width, height));
    }
    const QImage straight = image.convertToFormat(QImage::Format_RGBA8888);
    Pixels made{width, height, {}};
    for (int y = 0; y < height; ++y) made.rgba.insert(made.rgba.end(), straight.constScanLine(y), straight.constScanLine(y) + 4 * width);
    return made;
}

}  // namespace nodes
