#include "app/panels/keys_dialog.h"

#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QVBoxLayout>

#include "app/canvas/style.h"

namespace app {

KeysDialog::KeysDialog(KeyBindings& keys, QWidget* parent)
    : QDialog(parent), keys_(keys), list_(new QTreeWidget), field_(new QKeySequenceEdit), conflict_(new QLabel),
      take_(new QPushButton(tr("&Assign"))), clear_(new QPushButton(tr("&Clear"))), reset_(new QPushButton(tr("&Reset"))) {
    setObjectName(QStringLiteral("keys_dialog"));
    setWindowTitle(tr("Keys"));
    resize(560, 560);
    auto* search = new QLineEdit;
    search->setPlaceholderText(tr("Search commands or keys"));
    search->setClearButtonEnabled(true);
    list_->setColumnCount(3);
    list_->setHeaderLabels({tr("Command"), tr("Keys"), tr("Id")});
    list_->setRootIsDecorated(false);
    list_->setUniformRowHeights(true);
    list_->setAccessibleName(tr("Commands"));
    list_->setStyleSheet(QStringLiteral("QTreeWidget::item:selected { background: %1; color: white; }").arg(canvas_style().accent.name()));
    field_->setAccessibleName(tr("New keys"));
    conflict_->setWordWrap(true);
    conflict_->setTextFormat(Qt::PlainText);
    auto* row = new QHBoxLayout;
    row->addWidget(field_, 1);
    row->addWidget(take_);
    row->addWidget(clear_);
    row->addWidget(reset_);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    QPushButton* all = buttons->addButton(tr("Reset A&ll"), QDialogButtonBox::ResetRole);
    for (QPushButton* button : {take_, clear_, reset_, all}) button->setAutoDefault(false);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(search);
    layout->addWidget(list_, 1);
    layout->addLayout(row);
    layout->addWidget(conflict_);
    layout->addWidget(buttons);

    connect(search, &QLineEdit::textChanged, this, &KeysDialog::filter);
    connect(list_, &QTreeWidget::currentItemChanged, this, &KeysDialog::show_current);
    connect(list_, &QTreeWidget::itemActivated, field_, qOverload<>(&QWidget::setFocus));
    connect(field_, &QKeySequenceEdit::keySequenceChanged, this, &KeysDialog::check);
    connect(take_, &QPushButton::clicked, this, [this] { keys_.set(current(), field_->keySequence()); });
    connect(clear_, &QPushButton::clicked, this, [this] { keys_.set(current(), {}); });
    connect(reset_, &QPushButton::clicked, this, [this] { keys_.reset(current()); });
    connect(all, &QPushButton::clicked, &keys_, &KeyBindings::reset_all);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(&keys_, &KeyBindings::changed_keys, this, &KeysDialog::fill);
    for (const KeyBinding& binding : keys_.all()) list_->addTopLevelItem(new QTreeWidgetItem({binding.text, {}, binding.id}));
    list_->setSortingEnabled(true);
    list_->sortByColumn(0, Qt::AscendingOrder);
    fill();
    list_->setColumnWidth(0, 230);
    list_->setColumnWidth(1, 150);
    list_->setCurrentItem(list_->topLevelItem(0));
}

QString KeysDialog::current() const { return list_->currentItem() ? list_->currentItem()->text(2) : QString(); }

void KeysDialog::select(const QString& id) {
    const auto found = list_->findItems(id, Qt::MatchExactly, 2);
    if (!found.isEmpty()) list_->setCurrentItem(found.front());
}

void KeysDialog::fill() {
    for (int i = 0; i < list_->topLevelItemCount(); ++i) {
        QTreeWidgetItem* item = list_->topLevelItem(i);
        const KeyBinding* binding = keys_.find(item->text(2));
        item->setText(1, QKeySequence::listToString(binding->action->shortcuts(), QKeySequence::NativeText));
        QFont font = item->font(1);
        font.setBold(keys_.changed(*binding));
        item->setFont(1, font);
    }
    show_current();
}

void KeysDialog::filter(const QString& text) {
    for (int i = 0; i < list_->topLevelItemCount(); ++i) {
        QTreeWidgetItem* item = list_->topLevelItem(i);
        const auto holds = [&](int column) { return item->text(column).contains(text, Qt::CaseInsensitive); };
        item->setHidden(!holds(0) && !holds(1) && !holds(2));
    }
}

void KeysDialog::show_current() {
    const KeyBinding* binding = keys_.find(current());
    field_->setEnabled(binding);
    field_->setKeySequence(binding && !binding->action->shortcuts().isEmpty() ? binding->action->shortcuts().front() : QKeySequence());
    reset_->setEnabled(binding && keys_.changed(*binding));
    clear_->setEnabled(binding && !binding->action->shortcuts().isEmpty());
    check();
}

void KeysDialog::check() {
    const KeyBinding* binding = keys_.find(current());
    const QKeySequence keys = field_->keySequence();
    QStringList names;
    for (const KeyBinding* other : keys_.users_of(keys, current())) names << other->text;
    conflict_->setText(names.isEmpty() ? QString() : tr("%1 belongs to: %2. Assigning takes it from there.").arg(keys.toString(QKeySequence::NativeText), names.join(QStringLiteral(", "))));
    QPalette palette = conflict_->palette();
    palette.setColor(QPalette::WindowText, canvas_style().warning);
    conflict_->setPalette(palette);
    take_->setEnabled(binding && !keys.isEmpty() && !binding->action->shortcuts().contains(keys));
}

}  // namespace app
