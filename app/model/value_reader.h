// Reads pictures out of values beside the window: one of a batch, a frame of a video, a latent, any tensor of two or more
// axes, or what a type's preview shows.
#pragma once

#include "app/model/latest_task.h"
#include "app/model/raw_picture.h"

namespace app {

// Whether ValueReader may find a picture in it. Cheap: asks the type only.
bool can_show(const nodes::Value& value);

// The size in pixels of the picture that a value is or, for a latent, stands for; null where it has none. Cheap.
QSize picture_size(const nodes::Value& value);

class ValueReader : public QObject {
    Q_OBJECT

public:
    explicit ValueReader(QObject* parent = nullptr);
    ~ValueReader() override;

    // Picture number `index`, counted from 0, the last one where there are fewer. picture_read() answers for the newest
    // request, with null where there is none.
    void read(const nodes::Value& value, int index);
    bool busy() const { return task_.busy(); }

signals:
    void picture_read(const app::PicturePtr& picture);
    // Milliseconds that the frame which was read is shown, for players. Before picture_read().
    void frame_duration(double ms);

private:
    struct Walk;  // of the worker thread: through the video that was read last
    std::shared_ptr<Walk> walk_;
    LatestTask task_;  // last: ends first
};

}  // namespace app
