# The headers of the standard library and of Qt, read once per target instead of once per source: reading them is more
# than half of an average compilation. The project's own headers are not among them, so that a change to one of those
# rebuilds what includes it and no more. Sources still include what they use: HEDDLE_PRECOMPILE=OFF builds without.
option(HEDDLE_PRECOMPILE "Read the headers of the standard library and of Qt once per target" ON)

set(HEDDLE_STANDARD_HEADERS
    <algorithm> <array> <atomic> <bit> <charconv> <chrono> <cmath> <cstdint> <cstring> <deque> <filesystem> <fstream>
    <functional> <limits> <map> <memory> <mutex> <numeric> <optional> <random> <set> <span> <sstream> <stdexcept> <string>
    <string_view> <thread> <tuple> <unordered_map> <utility> <variant> <vector>)
set(HEDDLE_QT_HEADERS
    <QByteArray> <QDir> <QFile> <QFileInfo> <QImage> <QJsonArray> <QJsonDocument> <QJsonObject> <QList> <QPainter>
    <QRegularExpression> <QString> <QStringList> <QTemporaryDir>)
set(HEDDLE_WIDGET_HEADERS
    <QAction> <QApplication> <QComboBox> <QGraphicsItem> <QGraphicsScene> <QGraphicsView> <QLabel> <QLineEdit> <QMainWindow>
    <QMenu> <QToolButton> <QTreeWidget> <QVBoxLayout> <QWidget>)

# heddle_precompile(TARGET HEADERS...)
function(heddle_precompile target)
    if(NOT HEDDLE_PRECOMPILE)
        return()
    endif()
    target_precompile_headers(${target} PRIVATE ${ARGN})
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
        target_compile_options(${target} PRIVATE -fpch-preprocess)   # what ccache needs to see through them
    endif()
endfunction()

# heddle_precompile_as(TARGET OTHER): the headers that another target of the same options has read.
function(heddle_precompile_as target other)
    if(NOT HEDDLE_PRECOMPILE)
        return()
    endif()
    target_precompile_headers(${target} REUSE_FROM ${other})
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
        target_compile_options(${target} PRIVATE -fpch-preprocess)
    endif()
endfunction()

# Sources with options of their own can not use what was read with the target's.
function(heddle_own_options)
    cmake_parse_arguments(arg "" "" "SOURCES;OPTIONS" ${ARGN})
    set_property(SOURCE ${arg_SOURCES} APPEND PROPERTY COMPILE_OPTIONS ${arg_OPTIONS})
    set_property(SOURCE ${arg_SOURCES} PROPERTY SKIP_PRECOMPILE_HEADERS ON)
endfunction()
