// Finds nodes by title, type, value or words, at all levels of the document: a field at the top of the canvas.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QLineEdit>

#include "app/model/find.h"

namespace app {

class GraphView;

class FindBar : public QFrame {
    Q_OBJECT

public:
    explicit FindBar(GraphView& view);

    void open();
    void close_bar();
    // The next hit, or the one before; around at the ends. Opens the bar where nothing was looked for.
    void step(int by);

    QLineEdit* field() const { return field_; }
    QString count_text() const { return count_->text(); }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void look();          // anew, what is typed
    void show_hit();

    GraphView& view_;
    QLineEdit* field_;
    QLabel* count_;
    QLabel* where_;
    std::vector<FindHit> hits_;
    std::size_t at_ = 0;
    bool stale_ = true;   // edited since
};

}  // namespace app
