// A field over a list, over the canvas: type, choose with the arrows, take with Return, leave with Escape.
#pragma once

#include <QFrame>
#include <QLineEdit>
#include <QListWidget>

namespace app {

class PickPopup : public QFrame {
    Q_OBJECT

public:
    PickPopup(const QString& placeholder, QWidget* parent);

    QLineEdit* field() const { return field_; }
    QListWidget* list() const { return list_; }

signals:
    void closed();

protected:
    // Shows it with its corner near `corner` (of the parent), kept inside, with nothing typed.
    void open_near(QPoint corner);
    void close_popup();
    virtual void fill() = 0;                                // the list, by what is typed
    virtual void choose(const QListWidgetItem& item) = 0;   // closes it
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void refill();
    void take();

    QLineEdit* field_;
    QListWidget* list_;
};

}  // namespace app
