#include "app/panels/reference_panel.h"

#include <QDir>
#include <QEvent>
#include <QHBoxLayout>
#include <QHash>
#include <QUrl>
#include <QVBoxLayout>

#include "app/model/ids.h"
#include "app/model/search.h"
#include "nodes/core/find_socket_type.h"
#include "nodes/core/paths.h"
#include "nodes/reference/reference.h"

namespace app {
namespace {

constexpr auto scheme = "reference";      // "reference:image.blur", "reference:type-image", "reference:" the index

QString type_prefix() { return QStringLiteral("type-"); }

QString list_html(const std::vector<const nodes::Node*>& types) {
    QString html, category;
    for (const nodes::Node* type : types) {
        if (const QString own = qt(type->info().category); own != category) {
            html += QStringLiteral("%1<h3>%2</h3><p>").arg(category.isEmpty() ? QString() : QStringLiteral("</p>"), own.toHtmlEscaped());
            category = own;
        }
        html += QStringLiteral("<a href=\"#%1\">%2</a><br>").arg(qt(type->info().id), qt(type->info().title).toHtmlEscaped());
    }
    return html.isEmpty() ? html : html + "</p>";
}

// Writes pages when they are asked for, so that back and forward work as in any browser.
class Pages : public QTextBrowser {
public:
    using QTextBrowser::QTextBrowser;

    // Pages that no registry knows: uses of subgraphs.
    QHash<QString, QString> own;

protected:
    QVariant loadResource(int type, const QUrl& url) override {
        if (url.scheme() != QLatin1String(scheme)) return {};      // no files, no network
        return type == QTextDocument::HtmlResource ? QVariant(html_of(url.path())) : QVariant();
    }

private:
    QString html_of(const QString& name) const {
        if (own.contains(name)) return own.value(name);
        if (name.startsWith(type_prefix()))
            if (const nodes::SocketType* type = nodes::find_socket_type(name.mid(type_prefix().size()).toStdString())) return nodes::socket_type_html(*type);
        if (const nodes::Node* type = nodes::find_node_type(name.toStdString())) return nodes::node_html(*type);
        return list_html(search_types({}));
    }
};

QUrl url_of(const QString& name) {
    QUrl url;
    url.setScheme(QString::fromLatin1(scheme));
    url.setPath(name);
    return url;
}

}  // namespace

ReferencePanel::ReferencePanel(QWidget* parent) : QWidget(parent), search_(new QLineEdit), browser_(new Pages) {
    search_->setObjectName(QStringLiteral("reference_search"));
    search_->setPlaceholderText(tr("Find a node"));
    search_->setAccessibleName(tr("Find a node in the documentation"));
    search_->setClearButtonEnabled(true);
    browser_->setObjectName(QStringLiteral("reference"));
    browser_->setAccessibleName(tr("Documentation of nodes"));
    browser_->setOpenLinks(false);
    browser_->setFrameShape(QFrame::NoFrame);

    const auto button = [this](const char* name, Qt::ArrowType arrow, const QString& tip, auto slot) {
        auto* made = new QToolButton;
        made->setObjectName(QString::fromLatin1(name));
        made->setArrowType(arrow);
        made->setToolTip(tip);
        made->setAccessibleName(tip);
        made->setAutoRaise(true);
        made->setEnabled(false);
        connect(made, &QToolButton::clicked, browser_, slot);
        return made;
    };
    QToolButton* back = button("reference_back", Qt::LeftArrow, tr("Back"), &QTextBrowser::backward);
    QToolButton* forward = button("reference_forward", Qt::RightArrow, tr("Forward"), &QTextBrowser::forward);
    connect(browser_, &QTextBrowser::backwardAvailable, back, &QWidget::setEnabled);
    connect(browser_, &QTextBrowser::forwardAvailable, forward, &QWidget::setEnabled);
    connect(browser_, &QTextBrowser::anchorClicked, this, &ReferencePanel::follow);
    connect(search_, &QLineEdit::textEdited, this, &ReferencePanel::find);
    connect(search_, &QLineEdit::returnPressed, this, &ReferencePanel::open_first);

    auto* bar = new QHBoxLayout;
    bar->setSpacing(2);
    bar->addWidget(back);
    bar->addWidget(forward);
    bar->addWidget(search_, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 4, 6, 4);
    layout->addLayout(bar);
    layout->addWidget(browser_, 1);
    apply_colours();
    show_type(nullptr);
}

void ReferencePanel::show_type(const nodes::Node* type) {
    const QString name = type ? qt(type->info().id) : QString();
    if (type && nodes::find_node_type(type->info().id) != type) static_cast<Pages*>(browser_)->own[name] = nodes::node_html(*type);
    show_page(type ? "#" + name : QString());
}

void ReferencePanel::show_page(const QString& link) {
    search_->clear();
    const QUrl url = url_of(link.mid(1));
    url == browser_->source() ? browser_->reload() : browser_->setSource(url);
}

QString ReferencePanel::page() const {
    const QString name = browser_->source().path();
    return name.isEmpty() ? name : "#" + name;
}

void ReferencePanel::follow(const QUrl& link) {
    if (link.scheme() == QLatin1String("graph"))
        emit example_wanted(QDir(qt(nodes::resource_folder()) + "/graphs").filePath(link.path()));
    else if (link.hasFragment())
        show_page("#" + link.fragment());
}

// The list of what was found stands in the page's place until one is chosen.
void ReferencePanel::find(const QString& words) {
    if (words.trimmed().isEmpty()) return browser_->reload();
    const QString list = list_html(search_types(words));
    browser_->setHtml(list.isEmpty() ? QStringLiteral("<p>%1</p>").arg(tr("No node is found by \u201c%1\u201d.").arg(words.toHtmlEscaped())) : list);
}

void ReferencePanel::open_first() {
    if (const auto found = search_types(search_->text()); !found.empty() && !search_->text().trimmed().isEmpty()) show_type(found.front());
}

void ReferencePanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) apply_colours();
}

void ReferencePanel::apply_colours() {
    const QPalette& colours = palette();
    const auto mixed = [&](double part) {
        const QColor a = colours.color(QPalette::Text), b = colours.color(QPalette::Base);
        const auto mix = [part](int x, int y) { return qRound(x * part + y * (1 - part)); };
        return QColor(mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue())).name();
    };
    browser_->document()->setDefaultStyleSheet(
        QStringLiteral("a { color: %1; text-decoration: none; } i, th { color: %2; font-style: normal; } th { text-align: left; } "
                       "td { padding-right: 8px; } h3 { margin-top: 6px; margin-bottom: 2px; } h3 code { color: %2; font-weight: normal; }")
            .arg(colours.color(QPalette::Link).name(), mixed(0.6)));
    if (!browser_->source().isEmpty()) browser_->reload();
}

}  // namespace app
