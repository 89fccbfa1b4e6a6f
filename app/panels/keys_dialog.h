// Shows the keys of every command and lets the user change them.
#pragma once

#include <QDialog>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTreeWidget>

#include "app/panels/key_bindings.h"

namespace app {

// Changes count at once; where other commands have the keys, it says which, and taking the keys takes them from those.
class KeysDialog : public QDialog {
    Q_OBJECT

public:
    KeysDialog(KeyBindings& keys, QWidget* parent);

    void select(const QString& id);
    QTreeWidget* list() const { return list_; }
    QKeySequenceEdit* field() const { return field_; }
    QString conflict_text() const { return conflict_->text(); }
    QPushButton* take() const { return take_; }

private:
    void fill();
    void filter(const QString& text);
    void show_current();
    void check();
    QString current() const;

    KeyBindings& keys_;
    QTreeWidget* list_;
    QKeySequenceEdit* field_;
    QLabel* conflict_;
    QPushButton *take_, *clear_, *reset_;
};

}  // namespace app
