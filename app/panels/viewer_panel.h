// The picture of an output: of the selected node, or of one that was pinned; compared with another one, with its channels,
// levels and frames, and with the tools of nodes that are edited on it. Streets are edited in its place.
#pragma once

#include <QButtonGroup>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QToolButton>
#include <QWidget>

#include "app/model/run_controller.h"
#include "app/model/value_reader.h"
#include "app/panels/direct_editor.h"
#include "app/panels/frame_bar.h"
#include "app/panels/histogram_view.h"
#include "app/panels/param_editor.h"
#include "app/panels/picture_view.h"
#include "app/panels/street_editor.h"

namespace app {

class ViewerPanel : public QWidget {
    Q_OBJECT

public:
    // How what is shown is set beside the picture that was kept as A.
    enum class Compare { Off, Wipe, Difference, Overlay };

    ViewerPanel(GraphModel& model, RunController& runs, QWidget* parent = nullptr);

    // Follows a node unless one is pinned. A node without pictures of its own (one that saves) shows what it reads; one that
    // is edited on a picture shows that.
    void show_node(const NodeId& id);
    // A picture from elsewhere, until the next node is shown.
    void show_picture(const QImage& image, const QString& title);
    PictureView* picture() const { return view_; }
    DirectEditor* editor() const { return edit_; }
    StreetEditor* street() const { return street_; }
    FrameBar* frames() const { return frames_; }
    HistogramView* histogram() const { return histogram_; }
    const SocketId& source() const { return source_; }
    PicturePtr shown() const { return shown_; }
    const ViewSettings& settings() const { return settings_; }
    void set_settings(const ViewSettings& settings);
    void keep_as_a();
    void set_compare(Compare compare);
    Compare compare() const { return compare_; }
    bool busy() const { return reader_.busy() || render_.busy(); }
    // Channels, exposure, gamma and the histogram.
    void show_adjustments(bool on) { adjust_->setChecked(on); }
    void restyle();
    // Gives colours of the picture to an editor until the press ends, or until Escape; null: to none. False where there is no
    // picture.
    bool pick_colour(ParamEditor* editor);
    bool picking() const { return pick_ != nullptr; }

signals:
    void pixel_hovered(const QString& text);

private:
    QToolButton* add_button(const char* name, const QString& tip, QLayout* bar);
    void build_adjustments();
    SocketId picture_output(const NodeId& id) const;  // empty: none
    nodes::Value value_of(const SocketId& output) const;
    void show_output(const SocketId& output);
    void show_under_tool();
    void watch();
    void seek(const NodeId& id);
    void show_found(const NodeId& id);
    void show_street();
    void fit_tool();  // to the picture that is shown
    void show_blank(QSize size);
    void load(int index);
    void render();
    void clear();
    void refresh_title();
    QString picture_name() const;  // of the picture of a batch that is shown; empty: it has none
    QString describe(int x, int y) const;
    bool shows_a(int x) const;
    QColor colour_at(QPoint pixel) const;
    void end_pick();

    GraphModel& model_;
    RunController& runs_;
    SocketId source_;
    NodeId followed_;  // the node that was asked for last, perhaps before it had a picture
    std::vector<NodeId> sought_;  // where its picture may come from, while nobody has it
    std::vector<NodeId> under_;   // where what lies under the tool comes from
    QString other_title_;  // of a picture from elsewhere
    bool blank_ = false;
    PicturePtr shown_, kept_, described_;
    QString kept_title_;
    ViewSettings settings_;
    Compare compare_ = Compare::Off;

    QWidget* pictures_;  // everything that is hidden while a street is edited
    PictureView* view_;
    DirectEditor* edit_;
    StreetEditor* street_;
    FrameBar* frames_;
    HistogramView* histogram_;
    QLabel* title_;
    QToolButton *keep_, *wipe_, *difference_, *overlay_, *adjust_, *pin_, *fit_, *actual_;
    QWidget* adjustments_;
    QComboBox* channel_;
    QDoubleSpinBox *exposure_, *gamma_;
    QToolButton* stretch_;
    ValueReader reader_;
    LatestTask render_;
    std::unique_ptr<PictureTool> pick_;      // in the place of the node's own tool
    QPointer<ParamEditor> picked_for_;
};

}  // namespace app
