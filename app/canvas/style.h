// Colours, sizes and fonts of the canvas and of the window around it, in one place.
#pragma once

#include <QColor>
#include <QFont>
#include <QSizeF>
#include <QString>

namespace app {

enum class Theme { Dark, Light };

// Sizes are in scene units: pixels at 100 %.
struct Style {
    // canvas
    QColor canvas, grid, grid_major;
    qreal grid_step = 20;
    int grid_major_every = 5;

    // nodes
    QColor card, card_border, shadow;
    QColor title_text, label_text, value_text, dim_text;
    QColor selection, hover;
    qreal corner = 7;
    qreal title_height = 28;
    qreal row_height = 22;
    qreal param_height = 19;
    qreal padding = 12;
    qreal min_width = 168;
    qreal max_width = 248;
    qreal note_height = 320;  // most that the words of a note take
    QSizeF bend_size{40, 20};  // a node that is only a bend in a wire
    qreal thumbnail_side = 112;  // most that a picture on a node is high
    qreal socket_radius = 5.5;
    qreal socket_reach = 13;  // how near a click has to be

    // wires
    qreal wire_width = 2.4;
    qreal wire_reach = 7;

    // states
    QColor running, done, cached, failed, warning, pending;

    // the window around
    QColor window, panel, field, border, text, accent;

    QFont title_font, label_font, small_font;

    // The title bar of a category: a calm tone, the same for the same name everywhere.
    QColor category(const QString& name) const;
    // The same calm for a colour that the user chose.
    QColor tinted(const QColor& colour) const;
};

const Style& canvas_style();
// The style that follows for the whole program; views repaint when told.
void set_theme(Theme theme);
Theme current_theme();

// a * (1 - t) + b * t, for each channel.
QColor mix(const QColor& a, const QColor& b, qreal t);

}  // namespace app
