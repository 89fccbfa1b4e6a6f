<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en_US">
<context>
    <name>QObject</name>
    <message>
        <source>muted</source>
        <translation>已静音</translation>
    </message>
    <message>
        <source>bypassed</source>
        <translation>已旁路</translation>
    </message>
    <message>
        <source>cached</source>
        <translation>已缓存</translation>
    </message>
</context>
<context>
    <name>ThemeMenu</name>
    <message>
        <source>&amp;Theme</source>
        <translation>主题(&amp;T)</translation>
    </message>
    <message>
        <source>As the &amp;Desktop</source>
        <translation>跟随桌面(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Dark</source>
        <translation>深色(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;Light</source>
        <translation>浅色(&amp;L)</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>running</source>
        <translation>正在运行</translation>
    </message>
    <message>
        <source>done</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>cached</source>
        <translation>已缓存</translation>
    </message>
    <message>
        <source>failed: %1</source>
        <translation>失败：%1</translation>
    </message>
    <message>
        <source>nothing selected</source>
        <translation>未选择</translation>
    </message>
    <message numerus="yes">
        <source>%n nodes selected</source>
        <translation><numerusform>已选择 %n 个节点</numerusform></translation>
    </message>
    <message numerus="yes">
        <source>%n input(s)</source>
        <translation><numerusform>%n 个输入</numerusform></translation>
    </message>
    <message numerus="yes">
        <source>%n output(s)</source>
        <translation><numerusform>%n 个输出</numerusform></translation>
    </message>
    <message>
        <source>done in part</source>
        <translation>部分完成</translation>
    </message>
</context>
<context>
    <name>app::Gallery</name>
    <message>
        <source>Start page</source>
        <translation>起始页</translation>
    </message>
    <message>
        <source>Heddle</source>
        <translation>Heddle</translation>
    </message>
    <message>
        <source>New Graph</source>
        <translation>新建节点图</translation>
    </message>
    <message>
        <source>Open...</source>
        <translation>打开...</translation>
    </message>
    <message>
        <source>Examples</source>
        <translation>示例</translation>
    </message>
    <message>
        <source>Recent Files</source>
        <translation>最近的文件</translation>
    </message>
</context>
<context>
    <name>app::GraphModel</name>
    <message>
        <source>Paste</source>
        <translation>粘贴</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>复制一份</translation>
    </message>
    <message>
        <source>Not a socket of this node type</source>
        <translation>这种节点没有此接口</translation>
    </message>
    <message>
        <source>on</source>
        <translation>开</translation>
    </message>
    <message>
        <source>off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>未设置</translation>
    </message>
    <message>
        <source>This program does not know node type "%1". It is kept as it is.</source>
        <translation>本程序不认识节点类型“%1”，将原样保留。</translation>
    </message>
    <message>
        <source>A wire goes from an output to an input; both ends are outputs</source>
        <translation>连线须由输出接到输入；两端都是输出</translation>
    </message>
    <message>
        <source>A wire goes from an output to an input; both ends are inputs</source>
        <translation>连线须由输出接到输入；两端都是输入</translation>
    </message>
    <message>
        <source>Add %1</source>
        <translation>添加 %1</translation>
    </message>
    <message numerus="yes">
        <source>Remove %n wire(s)</source>
        <translation><numerusform>移除 %n 条连线</numerusform></translation>
    </message>
    <message numerus="yes">
        <source>Remove %n node(s)</source>
        <translation><numerusform>移除 %n 个节点</numerusform></translation>
    </message>
    <message numerus="yes">
        <source>Dissolve %n node(s)</source>
        <translation><numerusform>溶解 %n 个节点</numerusform></translation>
    </message>
    <message>
        <source>Insert into a wire</source>
        <translation>插入连线</translation>
    </message>
    <message numerus="yes">
        <source>Move %n node(s)</source>
        <translation><numerusform>移动 %n 个节点</numerusform></translation>
    </message>
    <message>
        <source>Arrange</source>
        <translation>自动布局</translation>
    </message>
    <message>
        <source>Align</source>
        <translation>对齐</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>连接</translation>
    </message>
    <message>
        <source>Disconnect</source>
        <translation>断开</translation>
    </message>
    <message>
        <source>Reset %1</source>
        <translation>重置 %1</translation>
    </message>
    <message>
        <source>Change %1</source>
        <translation>更改 %1</translation>
    </message>
    <message numerus="yes">
        <source>Mute %n node(s)</source>
        <translation><numerusform>静音 %n 个节点</numerusform></translation>
    </message>
    <message numerus="yes">
        <source>Bypass %n node(s)</source>
        <translation><numerusform>旁路 %n 个节点</numerusform></translation>
    </message>
    <message numerus="yes">
        <source>Switch on %n node(s)</source>
        <translation><numerusform>启用 %n 个节点</numerusform></translation>
    </message>
    <message>
        <source>Make a subgraph</source>
        <translation>创建子图</translation>
    </message>
    <message>
        <source>Dissolve a subgraph</source>
        <translation>解散子图</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
</context>
<context>
    <name>app::GraphView</name>
    <message>
        <source>Graph</source>
        <translation>节点图</translation>
    </message>
    <message>
        <source>Press Tab or double-click to add a node</source>
        <translation>按 Tab 或双击以添加节点</translation>
    </message>
</context>
<context>
    <name>app::LogPanel</name>
    <message>
        <source>%1 ms</source>
        <translation>%1 毫秒</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Metrics</source>
        <translation>指标</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>节点</translation>
    </message>
    <message>
        <source>Metric</source>
        <translation>指标</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>值</translation>
    </message>
    <message>
        <source>Wrote %1 (%2)</source>
        <translation>已写入 %1（%2）</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>运行</translation>
    </message>
    <message>
        <source>Run done in %1</source>
        <translation>运行完成，用时 %1</translation>
    </message>
    <message>
        <source>Run done in part, in %1</source>
        <translation>运行部分完成，用时 %1</translation>
    </message>
    <message>
        <source>Run failed after %1</source>
        <translation>运行失败，用时 %1</translation>
    </message>
    <message>
        <source>Run cancelled</source>
        <translation>运行已取消</translation>
    </message>
    <message>
        <source>Nothing ran: the graph has errors</source>
        <translation>未运行：节点图有错误</translation>
    </message>
</context>
<context>
    <name>app::MainWindow</name>
    <message>
        <source>Heddle</source>
        <translation>Heddle</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>参数</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>工具</translation>
    </message>
    <message>
        <source>Untitled</source>
        <translation>未命名</translation>
    </message>
    <message>
        <source>Running: %1 of %2 nodes</source>
        <translation>正在运行：第 %1 个节点，共 %2 个</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 毫秒</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>Done in %1</source>
        <translation>完成，用时 %1</translation>
    </message>
    <message>
        <source>Done in part, in %1</source>
        <translation>部分完成，用时 %1</translation>
    </message>
    <message>
        <source>Failed after %1</source>
        <translation>失败，用时 %1</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>已取消</translation>
    </message>
    <message>
        <source>Nothing ran</source>
        <translation>未运行</translation>
    </message>
    <message>
        <source>The graph has errors: nothing ran</source>
        <translation>节点图有错误：未运行</translation>
    </message>
    <message>
        <source>Nothing ran. %1</source>
        <translation>未运行。%1</translation>
    </message>
    <message>
        <source>This graph names files outside its folder: %1</source>
        <translation>此节点图引用了其文件夹以外的文件：%1</translation>
    </message>
    <message>
        <source>Allow and run</source>
        <translation>允许并运行</translation>
    </message>
    <message>
        <source>Graphs (*.heddle *.json *.png *.jpg *.exr *.tif *.tiff);;All files (*)</source>
        <translation>节点图 (*.heddle *.json *.png *.jpg *.exr *.tif *.tiff);;所有文件 (*)</translation>
    </message>
    <message>
        <source>Translated from another program.</source>
        <translation>由其他程序的工作流转换而来。</translation>
    </message>
    <message>
        <source>Without counterpart, kept as they are: %1.</source>
        <translation>没有对应节点、原样保留：%1。</translation>
    </message>
    <message>
        <source>Could not open %1: expected a file, it is a pipe or a device</source>
        <translation>无法打开 %1：应为文件，实为管道或设备</translation>
    </message>
    <message>
        <source>Could not open %1: %2</source>
        <translation>无法打开 %1：%2</translation>
    </message>
    <message>
        <source>A newer Heddle wrote this file. What this one does not know is kept as it is; saving will ask first.</source>
        <translation>此文件由更新版本的 Heddle 写入。不认识的内容将原样保留；保存前会先询问。</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>%1 was written by a newer Heddle. Save over it?</source>
        <translation>%1 由更新版本的 Heddle 写入。要覆盖它吗？</translation>
    </message>
    <message>
        <source>%1 was changed by another program since it was opened. Save over it?</source>
        <translation>%1 打开后被其他程序修改过。要覆盖它吗？</translation>
    </message>
    <message>
        <source>untitled.heddle</source>
        <translation>未命名.heddle</translation>
    </message>
    <message>
        <source>Save As</source>
        <translation>另存为</translation>
    </message>
    <message>
        <source>Could not save %1: %2</source>
        <translation>无法保存 %1：%2</translation>
    </message>
    <message>
        <source>Saved %1</source>
        <translation>已保存 %1</translation>
    </message>
    <message>
        <source>the new graph</source>
        <translation>新节点图</translation>
    </message>
    <message>
        <source>Save the changes to %1 first?</source>
        <translation>要先保存对 %1 的更改吗？</translation>
    </message>
    <message>
        <source>A graph that was never saved</source>
        <translation>从未保存的节点图</translation>
    </message>
    <message>
        <source>%1 has changes from before the program ended unexpectedly</source>
        <translation>%1 有程序意外结束之前的更改</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>No files yet</source>
        <translation>还没有文件</translation>
    </message>
    <message>
        <source>No node reads %1%2</source>
        <translation>没有节点能读取 %1%2</translation>
    </message>
    <message>
        <source>Drop %1</source>
        <translation>拖入 %1</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;New</source>
        <translation>新建(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Open...</source>
        <translation>打开(&amp;O)...</translation>
    </message>
    <message>
        <source>Open &amp;Recent</source>
        <translation>最近打开(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Examples</source>
        <translation>示例(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Save</source>
        <translation>保存(&amp;S)</translation>
    </message>
    <message>
        <source>Save &amp;As...</source>
        <translation>另存为(&amp;A)...</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>退出(&amp;Q)</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>撤销(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>重做(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Add Node...</source>
        <translation>添加节点(&amp;A)...</translation>
    </message>
    <message>
        <source>Cu&amp;t</source>
        <translation>剪切(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>复制(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Paste</source>
        <translation>粘贴(&amp;P)</translation>
    </message>
    <message>
        <source>D&amp;uplicate</source>
        <translation>复制一份(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Delete</source>
        <translation>删除(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Mute</source>
        <translation>静音(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Bypass</source>
        <translation>旁路(&amp;B)</translation>
    </message>
    <message>
        <source>Make Sub&amp;graph</source>
        <translation>创建子图(&amp;G)</translation>
    </message>
    <message>
        <source>Dissol&amp;ve Subgraph</source>
        <translation>解散子图(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Enter Subgraph</source>
        <translation>进入子图(&amp;E)</translation>
    </message>
    <message>
        <source>Delete and &amp;Heal</source>
        <translation>删除并接回连线(&amp;H)</translation>
    </message>
    <message>
        <source>A&amp;rrange</source>
        <translation>自动布局(&amp;R)</translation>
    </message>
    <message>
        <source>Ali&amp;gn</source>
        <translation>对齐(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Left Edges</source>
        <translation>左边缘(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Right Edges</source>
        <translation>右边缘(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Top Edges</source>
        <translation>上边缘(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Bottom Edges</source>
        <translation>下边缘(&amp;B)</translation>
    </message>
    <message>
        <source>&amp;Spread Evenly</source>
        <translation>均匀分布(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Leave Subgraph</source>
        <translation>离开子图(&amp;L)</translation>
    </message>
    <message>
        <source>Select &amp;All</source>
        <translation>全选(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation>运行(&amp;R)</translation>
    </message>
    <message>
        <source>Run &amp;Selected</source>
        <translation>运行所选(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>取消(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>Frame &amp;All</source>
        <translation>显示全部(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Frame Selected</source>
        <translation>显示所选(&amp;F)</translation>
    </message>
    <message>
        <source>Zoom &amp;In</source>
        <translation>放大(&amp;I)</translation>
    </message>
    <message>
        <source>Zoom &amp;Out</source>
        <translation>缩小(&amp;O)</translation>
    </message>
    <message>
        <source>Actual &amp;Size</source>
        <translation>实际大小(&amp;S)</translation>
    </message>
</context>
<context>
    <name>app::MessageBar</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>app::ParamEditor</name>
    <message>
        <source>Another seed</source>
        <translation>换一个种子</translation>
    </message>
    <message>
        <source>Needs a file</source>
        <translation>需要一个文件</translation>
    </message>
    <message>
        <source>No file</source>
        <translation>没有文件</translation>
    </message>
    <message>
        <source>Choose a file</source>
        <translation>选择文件</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>Choose a colour</source>
        <translation>选择颜色</translation>
    </message>
</context>
<context>
    <name>app::ParamPanel</name>
    <message numerus="yes">
        <source>%n nodes selected</source>
        <translation><numerusform>已选择 %n 个节点</numerusform></translation>
    </message>
    <message>
        <source>Select a node to see its parameters.</source>
        <translation>选择一个节点以查看其参数。</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>How the document and --set call this node: letters, digits, '_' and '-'</source>
        <translation>文档和 --set 中此节点的名称：字母、数字、“_”和“-”</translation>
    </message>
    <message>
        <source>Back to %1</source>
        <translation>恢复为 %1</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>空</translation>
    </message>
    <message>
        <source>Expression of %1</source>
        <translation>%1 的表达式</translation>
    </message>
    <message>
        <source>Computed: numbers, + - * / % ^, min, max, round and others, and parameters as NODE.param</source>
        <translation>计算：数字、+ - * / % ^、min、max、round 等，以及写作 NODE.param 的参数</translation>
    </message>
    <message>
        <source>Compute by an Expression</source>
        <translation>用表达式计算</translation>
    </message>
</context>
<context>
    <name>app::PictureView</name>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>No picture yet</source>
        <translation>还没有图片</translation>
    </message>
    <message>
        <source>x %1  y %2    %3    R %4  G %5  B %6</source>
        <translation>x %1  y %2    %3    R %4  G %5  B %6</translation>
    </message>
    <message>
        <source>  A %1</source>
        <translation>  A %1</translation>
    </message>
</context>
<context>
    <name>app::SearchPopup</name>
    <message>
        <source>Search nodes</source>
        <translation>搜索节点</translation>
    </message>
</context>
<context>
    <name>app::ViewerPanel</name>
    <message>
        <source>Stay with this output</source>
        <translation>固定显示此输出</translation>
    </message>
    <message>
        <source>Fit to the panel (double click)</source>
        <translation>适合面板（双击）</translation>
    </message>
    <message>
        <source>Actual size</source>
        <translation>实际大小</translation>
    </message>
</context>
</TS>