// The node reference beside the canvas: what the selected node's type is, does and takes, with a search over all types.
#pragma once

#include <QLineEdit>
#include <QTextBrowser>
#include <QToolButton>
#include <QWidget>

#include "nodes/core/node.h"

namespace app {

class ReferencePanel : public QWidget {
    Q_OBJECT

public:
    explicit ReferencePanel(QWidget* parent = nullptr);

    // Null: the index of all types. Types of subgraphs may go afterwards; their page stays.
    void show_type(const nodes::Node* type);
    // "#image.blur", "#type-image"; what there is not leads to the index.
    void show_page(const QString& link);

    // What is shown, as such a link; empty for the index.
    QString page() const;
    QLineEdit* search() const { return search_; }
    QTextBrowser* browser() const { return browser_; }

signals:
    void example_wanted(const QString& path);  // of a graph that comes with Heddle

protected:
    void changeEvent(QEvent* event) override;

private:
    void follow(const QUrl& link);
    void find(const QString& words);
    void open_first();
    void apply_colours();

    QLineEdit* search_;
    QTextBrowser* browser_;
};

}  // namespace app
