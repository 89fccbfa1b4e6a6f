#include "app/panels/theme.h"

#include <QPalette>
#include <QStyleFactory>

namespace app {
namespace {

QPalette palette_of(const Style& s) {
    QPalette p;
    p.setColor(QPalette::Window, s.window);
    p.setColor(QPalette::WindowText, s.text);
    p.setColor(QPalette::Base, s.field);
    p.setColor(QPalette::AlternateBase, s.panel);
    p.setColor(QPalette::Text, s.text);
    p.setColor(QPalette::PlaceholderText, s.dim_text);
    p.setColor(QPalette::Button, mix(s.panel, s.border, 0.35));
    p.setColor(QPalette::ButtonText, s.text);
    p.setColor(QPalette::BrightText, Qt::white);
    p.setColor(QPalette::ToolTipBase, s.panel);
    p.setColor(QPalette::ToolTipText, s.text);
    p.setColor(QPalette::Highlight, s.accent);
    p.setColor(QPalette::HighlightedText, Qt::white);
    p.setColor(QPalette::Link, s.accent);
    p.setColor(QPalette::Light, mix(s.panel, s.text, 0.12));
    p.setColor(QPalette::Midlight, mix(s.panel, s.text, 0.08));
    p.setColor(QPalette::Mid, s.border);
    p.setColor(QPalette::Dark, mix(s.window, Qt::black, 0.25));
    p.setColor(QPalette::Shadow, mix(s.window, Qt::black, 0.5));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, mix(s.text, s.window, 0.6));
    return p;
}

QString sheet_of(const Style& s) {
    QString sheet = QStringLiteral(R"(
QMainWindow::separator { background: @border; width: 1px; height: 1px; }
QToolBar { background: @window; border: none; border-bottom: 1px solid @border; padding: 3px 8px; spacing: 3px; }
QToolBar::separator { background: @border; width: 1px; margin: 5px 6px; }
QToolButton { border: none; border-radius: 5px; padding: 4px; }
QToolButton:hover { background: @hover; }
QToolButton:pressed, QToolButton:checked { background: @pressed; }
QMenuBar { background: @window; border-bottom: none; padding: 1px 6px; }
QMenuBar::item { padding: 4px 9px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: @hover; }
QMenu { background: @panel; border: 1px solid @border; padding: 4px; }
QMenu::item { padding: 5px 26px 5px 22px; border-radius: 4px; }
QMenu::item:selected { background: @accent; color: white; }
QMenu::item:disabled { color: @dim; background: transparent; }
QMenu::separator { height: 1px; background: @border; margin: 4px 8px; }
QDockWidget { color: @dim; }
QDockWidget::title { background: @window; padding: 7px 12px 6px 12px; border-bottom: 1px solid @border; }
QDockWidget > QWidget { background: @panel; }
QStatusBar { background: @window; border-top: 1px solid @border; color: @dim; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: @dim; padding: 0 6px; }
QLineEdit, QPlainTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {
    background: @field; border: 1px solid @border; border-radius: 4px; padding: 3px 6px;
    selection-background-color: @accent; }
QLineEdit:focus, QPlainTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus { border-color: @accent; }
QSpinBox, QDoubleSpinBox { padding-right: 2px; }
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {
    width: 0; border: none; }
QComboBox::drop-down { border: none; width: 18px; }
QComboBox::down-arrow {
    width: 0; height: 0; border-left: 4px solid @panelnone; border-right: 4px solid @panelnone;
    border-top: 5px solid @dim; }
QComboBox QAbstractItemView { background: @panel; border: 1px solid @border; selection-background-color: @accent; }
QSlider::groove:horizontal { height: 4px; background: @border; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 2px; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -4px 0; border-radius: 6px; background: @text; }
QProgressBar { background: @field; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }
QTreeWidget, QListWidget { background: @panel; border: none; outline: none; }
QTreeWidget::item, QListWidget::item { padding: 3px 4px; border-radius: 4px; }
QListWidget::item:selected { background: @accent; color: white; }
QHeaderView::section { background: @panel; color: @dim; border: none; border-bottom: 1px solid @border; padding: 4px; }
QScrollArea, QScrollArea > QWidget > QWidget { background: @panel; border: none; }
QScrollBar:vertical { background: transparent; width: 9px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 9px; margin: 0; }
QScrollBar::handle { background: @border; border-radius: 4px; min-height: 24px; min-width: 24px; }
QScrollBar::handle:hover { background: @dim; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
    background: none; border: none; height: 0; width: 0; }
QToolTip { background: @panel; color: @text; border: 1px solid @border; padding: 5px 7px; }
QSplitter::handle { background: @border; width: 1px; }
#search { background: @panel; border: 1px solid @border; border-radius: 8px; }
#search_field { padding: 6px 8px; }
#message_bar { border-radius: 0; }
#node_title { font-size: 15px; font-weight: 600; }
#dim { color: @dim; }
#problem { color: @failed; }
)");
    const std::pair<const char*, QColor> colours[] = {{"@panelnone", s.field},
                                                      {"@window", s.window},
                                                      {"@panel", s.panel},
                                                      {"@field", s.field},
                                                      {"@border", s.border},
                                                      {"@text", s.text},
                                                      {"@dim", s.dim_text},
                                                      {"@accent", s.accent},
                                                      {"@failed", s.failed},
                                                      {"@hover", mix(s.window, s.text, 0.1)},
                                                      {"@pressed", mix(s.window, s.text, 0.18)}};
    for (const auto& [name, colour] : colours) sheet.replace(QLatin1String(name), colour.name());
    return sheet;
}

}  // namespace

void apply_theme(QApplication& application, Theme theme) {
    set_theme(theme);
    application.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    application.setPalette(palette_of(canvas_style()));
    application.setStyleSheet(sheet_of(canvas_style()));
}

}  // namespace app
