#include "app/canvas/style.h"

#include <QGuiApplication>
#include <cstdint>
#include <utility>

namespace app {
namespace {

QFont font(qreal pixels, QFont::Weight weight = QFont::Normal) {
    QFont made = QGuiApplication::font();
    made.setPixelSize(qRound(pixels));
    made.setWeight(weight);
    made.setHintingPreference(QFont::PreferNoHinting);  // labels keep their place while zooming
    return made;
}

void set_fonts(Style& style) {
    style.title_font = font(12.5, QFont::DemiBold);
    style.label_font = font(12);
    style.small_font = font(11);
}

Style dark() {
    Style s;
    s.canvas = 0x17191d;
    s.grid = 0x1d2025;
    s.grid_major = 0x24272e;
    s.card = 0x272b32;
    s.card_border = 0x3a404a;
    s.shadow = QColor(0, 0, 0, 38);
    s.title_text = 0xf2f4f8;
    s.label_text = 0xc8cdd6;
    s.value_text = 0xdfe3ea;
    s.dim_text = 0x868e9c;
    s.selection = 0xf2b35d;
    s.hover = 0x5b6472;
    s.running = 0x58a6ff;
    s.done = 0x57c08a;
    s.cached = 0x7f8ea6;
    s.failed = 0xf06a6a;
    s.warning = 0xe3b454;
    s.pending = 0x6d7686;
    s.window = 0x1e2126;
    s.panel = 0x22262c;
    s.field = 0x191c20;
    s.border = 0x343941;
    s.text = 0xd7dce4;
    s.accent = 0x4d93e6;
    set_fonts(s);
    return s;
}

Style light() {
    Style s;
    s.canvas = 0xeef0f3;
    s.grid = 0xe5e8ec;
    s.grid_major = 0xd9dde3;
    s.card = 0xffffff;
    s.card_border = 0xc3c9d2;
    s.shadow = QColor(30, 40, 60, 16);
    s.title_text = 0x1c222b;
    s.label_text = 0x39414d;
    s.value_text = 0x242b35;
    s.dim_text = 0x7b8493;
    s.selection = 0xd9822b;
    s.hover = 0x9aa4b2;
    s.running = 0x1f75d6;
    s.done = 0x2f9e68;
    s.cached = 0x7a889d;
    s.failed = 0xd14343;
    s.warning = 0xb8851b;
    s.pending = 0x9aa3b1;
    s.window = 0xf4f5f7;
    s.panel = 0xfafbfc;
    s.field = 0xffffff;
    s.border = 0xd3d8df;
    s.text = 0x242b35;
    s.accent = 0x2f7de1;
    set_fonts(s);
    return s;
}

struct Current {
    Theme theme = Theme::Dark;
    Style style = dark();
};

Current& current() {
    static Current instance;  // made after the application, whose font it reads
    return instance;
}

// Hues of categories lie from orange to magenta: red is a failure's.
constexpr std::uint32_t first_hue = 28, hue_range = 300;
constexpr std::uint32_t hue_salt = 14322;  // spreads the names of today's categories well

}  // namespace

const Style& canvas_style() { return current().style; }
Theme current_theme() { return current().theme; }

void set_theme(Theme theme) { current() = {theme, theme == Theme::Dark ? dark() : light()}; }

QColor mix(const QColor& a, const QColor& b, qreal t) {
    const auto channel = [t](float x, float y) { return static_cast<float>(x + (y - x) * t); };
    return QColor::fromRgbF(channel(a.redF(), b.redF()), channel(a.greenF(), b.greenF()), channel(a.blueF(), b.blueF()),
                            channel(a.alphaF(), b.alphaF()));
}

QColor Style::tinted(const QColor& colour) const { return mix(card, colour, card.lightness() < 128 ? 0.55 : 0.5); }

QColor Style::category(const QString& name) const {
    if (name.isEmpty()) return mix(card, card_border, 0.6);
    std::uint32_t sum = 2166136261u ^ hue_salt;  // FNV-1a: the same on every machine, unlike qHash
    for (const QChar letter : name.toLower()) sum = (sum ^ letter.unicode()) * 16777619u;
    const int hue = static_cast<int>(first_hue + (sum >> 8) % hue_range);
    return mix(card, QColor::fromHsl(hue, 150, card.lightness() < 128 ? 118 : 150),
               card.lightness() < 128 ? 0.5 : 0.42);
}

}  // namespace app
