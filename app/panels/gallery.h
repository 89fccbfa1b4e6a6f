// The page that the editor starts with: examples that run at once, recent files, a new graph.
#pragma once

#include <QScrollArea>
#include <QToolButton>
#include <vector>

namespace app {

// An example of resources/graphs/gallery/gallery.json, in the words of a language.
struct Example {
    QString graph;  // absolute name of the file
    QString title;
    QString about;    // one sentence
    QString picture;  // absolute; empty: the graph is drawn
};

// Those whose graphs are there, in the order of the list; none where the list is missing or damaged.
std::vector<Example> read_examples(const QString& language);

// The graph as a small drawing: cards in the colours of their categories, and wires.
QPixmap draw_graph(const QString& file, QSize size, qreal pixel_ratio);

class Gallery : public QScrollArea {
    Q_OBJECT

public:
    explicit Gallery(QWidget* parent = nullptr);

    // Builds the page anew: recent files, the theme's colours.
    void refresh(const QStringList& recent);
    std::vector<QToolButton*> cards() const;

signals:
    void new_wanted();
    void open_wanted();
    void file_wanted(const QString& path);
    void example_wanted(const QString& path);
    void closed();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void arrange();

    QWidget* grid_ = nullptr;
    int columns_ = 0;
};

}  // namespace app
