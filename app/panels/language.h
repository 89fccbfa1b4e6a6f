// The words of the window in the user's language.
#pragma once

#include <QApplication>

namespace app {

// Loads the translations of a language, "zh_CN", of the system's where the name is empty, with Qt's own words where they are
// installed. Before the first window. False where Heddle has none of that language: its own words are English.
bool use_language(QApplication& application, const QString& name = {});

}  // namespace app
