#include "app/panels/key_bindings.h"

#include <QSettings>
#include <QWidget>
#include <algorithm>

namespace app {
namespace {

const QString group = QStringLiteral("keys/");

QString plain(const QString& text) { return QString(text).remove('&').remove(QStringLiteral("...")); }

QString keys_text(const QList<QKeySequence>& keys) { return QKeySequence::listToString(keys, QKeySequence::NativeText); }

}  // namespace

KeyBindings::KeyBindings(QWidget& window) : QObject(&window) {
    for (QAction* action : window.findChildren<QAction*>()) {
        const QString id = action->objectName();
        if (id.isEmpty() || id.startsWith(QLatin1String("_q")) || id.startsWith(QLatin1String("qt_")) || find(id)) continue;
        // Undo and redo put what they would undo behind their names.
        all_.push_back({action, id, plain(id == QLatin1String("undo") ? tr("Undo") : id == QLatin1String("redo") ? tr("Redo") : action->text()), action->shortcuts()});
    }
    const QSettings settings;
    for (const KeyBinding& binding : all_) {
        const QVariant kept = settings.value(group + binding.id);
        if (!kept.isValid()) continue;
        QList<QKeySequence> keys;
        for (const QString& text : kept.toStringList())
            if (const QKeySequence one(text, QKeySequence::PortableText); !one.isEmpty() && one[0].key() != Qt::Key_unknown) keys.append(one);
        apply(binding, keys);
    }
}

const KeyBinding* KeyBindings::find(const QString& id) const {
    const auto at = std::ranges::find(all_, id, &KeyBinding::id);
    return at == all_.end() ? nullptr : &*at;
}

std::vector<const KeyBinding*> KeyBindings::users_of(const QKeySequence& keys, const QString& except) const {
    std::vector<const KeyBinding*> found;
    if (keys.isEmpty()) return found;
    for (const KeyBinding& binding : all_) {
        if (binding.id == except) continue;
        const auto clashes = [&](const QKeySequence& other) {
            return !other.isEmpty() && (other.matches(keys) != QKeySequence::NoMatch || keys.matches(other) != QKeySequence::NoMatch);
        };
        if (std::ranges::any_of(binding.action->shortcuts(), clashes)) found.push_back(&binding);
    }
    return found;
}

void KeyBindings::apply(const KeyBinding& binding, const QList<QKeySequence>& keys) {
    binding.action->setShortcuts(keys);
    binding.action->setToolTip(keys.isEmpty() ? binding.text : QStringLiteral("%1 (%2)").arg(binding.text, keys_text(keys)));
    QSettings settings;
    if (keys == binding.initial) {
        settings.remove(group + binding.id);
        return;
    }
    QStringList texts;
    for (const QKeySequence& one : keys) texts << one.toString(QKeySequence::PortableText);
    settings.setValue(group + binding.id, texts);
}

void KeyBindings::set(const QString& id, const QKeySequence& keys) {
    const KeyBinding* binding = find(id);
    if (!binding) return;
    for (const KeyBinding* other : users_of(keys, id)) {
        QList<QKeySequence> left;
        for (const QKeySequence& one : other->action->shortcuts())
            if (one.matches(keys) == QKeySequence::NoMatch && keys.matches(one) == QKeySequence::NoMatch) left.append(one);
        apply(*other, left);
    }
    apply(*binding, keys.isEmpty() ? QList<QKeySequence>() : QList<QKeySequence>{keys});
    emit changed_keys();
}

void KeyBindings::reset(const QString& id) {
    const KeyBinding* binding = find(id);
    if (!binding) return;
    for (const QKeySequence& keys : binding->initial)
        if (const auto users = users_of(keys, id); !users.empty()) set(id, keys);  // takes them back
    apply(*binding, binding->initial);
    emit changed_keys();
}

void KeyBindings::reset_all() {
    for (const KeyBinding& binding : all_) apply(binding, binding.initial);
    emit changed_keys();
}

QString KeyBindings::table() const {
    qsizetype widest_id = 0, widest_keys = 0;
    for (const KeyBinding& binding : all_) {
        widest_id = std::max(widest_id, binding.id.size());
        widest_keys = std::max(widest_keys, keys_text(binding.action->shortcuts()).size());
    }
    QString text;
    for (const KeyBinding& binding : all_)
        text += QStringLiteral("%1  %2  %3\n").arg(binding.id, -widest_id).arg(keys_text(binding.action->shortcuts()), -widest_keys).arg(binding.text);
    return text;
}

}  // namespace app
