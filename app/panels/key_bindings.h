// The keys of the window's commands: each has an id (the action's object name), keys that it came with, and perhaps keys
// that the user chose, which are kept in the program's settings.
#pragma once

#include <QAction>
#include <QKeySequence>
#include <QObject>
#include <vector>

namespace app {

struct KeyBinding {
    QAction* action;
    QString id;                    // "bypass"
    QString text;                  // "Bypass", without the mark of a menu
    QList<QKeySequence> initial;   // what it came with; may be empty
};

class KeyBindings : public QObject {
    Q_OBJECT

public:
    // Takes every named action below `window` and gives those with a user's keys theirs. Settings that name no command or
    // no keys are passed over.
    explicit KeyBindings(QWidget& window);

    const std::vector<KeyBinding>& all() const { return all_; }
    const KeyBinding* find(const QString& id) const;
    bool changed(const KeyBinding& binding) const { return binding.action->shortcuts() != binding.initial; }

    // Other commands that have one of these keys.
    std::vector<const KeyBinding*> users_of(const QKeySequence& keys, const QString& except = {}) const;
    // Empty keys: none. Other commands that had them keep them not.
    void set(const QString& id, const QKeySequence& keys);
    void reset(const QString& id);
    void reset_all();

    // One line a command: id, keys, text; for heddle-editor --keys.
    QString table() const;

signals:
    void changed_keys();

private:
    void apply(const KeyBinding& binding, const QList<QKeySequence>& keys);

    std::vector<KeyBinding> all_;
};

}  // namespace app
