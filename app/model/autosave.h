// What was not saved survives a crash: a moment after an edit the document goes into a file of its own beside the others of
// its kind, and leaves it again when it is saved, closed or discarded.
#pragma once

#include <QLockFile>
#include <QObject>
#include <QTimer>
#include <memory>
#include <vector>

#include "app/model/graph_model.h"
#include "app/model/latest_task.h"

namespace app {

// A document that a program left behind which is no longer there.
struct LeftBehind {
    QString file;                // where it was kept
    QString path;                // where it would have been saved, empty for never saved
    nodes::Document document;
};

class Autosave : public QObject {
    Q_OBJECT

public:
    // `folder` is made where it is not there. Where nothing can be written, nothing is kept, and the log says so once.
    Autosave(GraphModel& model, const QString& folder, QObject* parent = nullptr);
    ~Autosave() override;  // the end of a program that ends well: nothing stays

    // Of programs that have ended, newest first; files that can not be read are left alone.
    static std::vector<LeftBehind> left_behind(const QString& folder);
    static void forget(const LeftBehind& left);

    void write_now();

private:
    void follow();
    void write();  // in a worker thread: a large graph takes longer than the window may wait
    void tell(const QString& problem);

    GraphModel& model_;
    QString file_;
    std::unique_ptr<QLockFile> lock_;
    QTimer later_;
    bool told_ = false;
    LatestTask writer_;
};

}  // namespace app
