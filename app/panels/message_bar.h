// A line above the canvas for what went wrong or wants to be known: in sight, never in the way.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QTimer>
#include <QToolButton>
#include <functional>

namespace app {

class MessageBar : public QFrame {
    Q_OBJECT

public:
    enum class Level { Note, Error };

    explicit MessageBar(QWidget* parent = nullptr);
    // Notes go away by themselves after a while; errors stay until closed or replaced.
    void show_message(Level level, const QString& text);
    // Stays until it is answered or closed; `act` runs when the button is pressed.
    void ask(const QString& text, const QString& button, std::function<void()> act);
    QToolButton* button() const { return act_; }
    QString text() const { return label_->text(); }
    void clear();

private:
    QLabel* label_;
    QToolButton* act_;
    QToolButton* close_;
    std::function<void()> on_act_;
    QTimer* timer_;
};

}  // namespace app
