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
        <translation>
            <numerusform>已选择 %n 个节点</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n input(s)</source>
        <translation>
            <numerusform>%n 个输入</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n output(s)</source>
        <translation>
            <numerusform>%n 个输出</numerusform>
        </translation>
    </message>
    <message>
        <source>done in part</source>
        <translation>部分完成</translation>
    </message>
</context>
<context>
    <name>app::CanvasActions</name>
    <message>
        <source>&amp;Red</source>
        <translation>红色(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Orange</source>
        <translation>橙色(&amp;O)</translation>
    </message>
    <message>
        <source>&amp;Yellow</source>
        <translation>黄色(&amp;Y)</translation>
    </message>
    <message>
        <source>&amp;Green</source>
        <translation>绿色(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Cyan</source>
        <translation>青色(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Blue</source>
        <translation>蓝色(&amp;B)</translation>
    </message>
    <message>
        <source>&amp;Violet</source>
        <translation>紫色(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Keys...</source>
        <translation>快捷键(&amp;K)...</translation>
    </message>
    <message>
        <source>&amp;Frame Nodes</source>
        <translation>为节点加框(&amp;F)</translation>
    </message>
    <message>
        <source>Remove Fra&amp;me</source>
        <translation>移除框(&amp;M)</translation>
    </message>
    <message>
        <source>Re&amp;name</source>
        <translation>重命名(&amp;N)</translation>
    </message>
    <message>
        <source>C&amp;olour</source>
        <translation>颜色(&amp;O)</translation>
    </message>
    <message>
        <source>&amp;None</source>
        <translation>无(&amp;N)</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>框</translation>
    </message>
    <message>
        <source>&amp;Find...</source>
        <translation>查找(&amp;F)...</translation>
    </message>
    <message>
        <source>Find &amp;Next</source>
        <translation>查找下一个(&amp;N)</translation>
    </message>
    <message>
        <source>Find &amp;Previous</source>
        <translation>查找上一个(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Minimap</source>
        <translation>缩略图(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Snap to Grid</source>
        <translation>对齐网格(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Bookmarks</source>
        <translation>书签(&amp;B)</translation>
    </message>
    <message>
        <source>Go to Bookmark &amp;%1</source>
        <translation>转到书签 &amp;%1</translation>
    </message>
    <message>
        <source>The subgraph of bookmark %1 is gone</source>
        <translation>书签 %1 所在的子图已不存在</translation>
    </message>
    <message>
        <source>There is no bookmark %1 yet</source>
        <translation>还没有书签 %1</translation>
    </message>
    <message>
        <source>Set Bookmark %1</source>
        <translation>设置书签 %1</translation>
    </message>
    <message>
        <source>Set bookmark %1</source>
        <translation>设置书签 %1</translation>
    </message>
    <message>
        <source>On the &amp;Canvas</source>
        <translation>在画布上(&amp;C)</translation>
    </message>
    <message>
        <source>Add &amp;Node Here...</source>
        <translation>在此添加节点(&amp;N)...</translation>
    </message>
    <message>
        <source>&amp;Connect...</source>
        <translation>连接(&amp;C)...</translation>
    </message>
    <message>
        <source>&amp;Disconnect</source>
        <translation>断开(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Open</source>
        <translation>打开(&amp;O)</translation>
    </message>
    <message>
        <source>Select What &amp;Follows</source>
        <translation>选择下游节点(&amp;F)</translation>
    </message>
    <message>
        <source>Left</source>
        <translation>左</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>Up</source>
        <translation>上</translation>
    </message>
    <message>
        <source>Down</source>
        <translation>下</translation>
    </message>
    <message>
        <source>Go %1</source>
        <translation>向%1移动焦点</translation>
    </message>
    <message>
        <source>Move %1</source>
        <translation>向%1移动节点</translation>
    </message>
    <message>
        <source>Look %1</source>
        <translation>向%1平移视图</translation>
    </message>
    <message>
        <source>Add &amp;Reroute</source>
        <translation>添加转接点(&amp;R)</translation>
    </message>
    <message>
        <source>Add &amp;Node...</source>
        <translation>添加节点(&amp;N)...</translation>
    </message>
    <message>
        <source>&amp;Delete Wire</source>
        <translation>删除连线(&amp;D)</translation>
    </message>
    <message>
        <source>Add &amp;Favourite</source>
        <translation>添加收藏(&amp;F)</translation>
    </message>
    <message>
        <source>Memor&amp;y on Nodes</source>
        <translation>在节点上显示内存(&amp;Y)</translation>
    </message>
    <message>
        <source>P&amp;ut into Frame</source>
        <translation>放入框(&amp;U)</translation>
    </message>
    <message>
        <source>No other frames</source>
        <translation>没有其他框</translation>
    </message>
    <message>
        <source>Make Frame &amp;Wider</source>
        <translation>加宽框(&amp;W)</translation>
    </message>
    <message>
        <source>Make Frame Na&amp;rrower</source>
        <translation>收窄框(&amp;R)</translation>
    </message>
    <message>
        <source>Make Frame &amp;Taller</source>
        <translation>加高框(&amp;T)</translation>
    </message>
    <message>
        <source>Make Frame &amp;Shorter</source>
        <translation>降低框(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Fit Frame to Content</source>
        <translation>框适合内容(&amp;F)</translation>
    </message>
</context>
<context>
    <name>app::ConnectPopup</name>
    <message>
        <source>Connect to</source>
        <translation>连接到</translation>
    </message>
    <message>
        <source>new %1</source>
        <translation>新建 %1</translation>
    </message>
</context>
<context>
    <name>app::CurveEditor</name>
    <message>
        <source>A press on nothing adds a point, points are dragged, the right button removes one. Keys: Page Up and Page Down choose a point, arrows move it (Shift: far), Insert adds one, Delete removes it.</source>
        <translation>在空白处按下会添加一个点，点可以拖动，右键移除点。按键：Page Up 和 Page Down 选择点，方向键移动点（Shift：大步），Insert 添加，Delete 移除。</translation>
    </message>
    <message>
        <source>Point %1 of %2: %3 becomes %4</source>
        <translation>第 %1 个点，共 %2 个：%3 变为 %4</translation>
    </message>
    <message>
        <source>This text is no curve; the first edit replaces it</source>
        <translation>这段文本不是曲线；第一次编辑会替换它</translation>
    </message>
</context>
<context>
    <name>app::DeviceMenu</name>
    <message>
        <source>De&amp;vices</source>
        <translation>设备(&amp;V)</translation>
    </message>
    <message>
        <source>Looking for devices...</source>
        <translation>正在查找设备...</translation>
    </message>
    <message>
        <source>&amp;Automatic</source>
        <translation>自动(&amp;A)</translation>
    </message>
    <message>
        <source>The fastest device of this machine, or the one that HEDDLE_DEVICE names</source>
        <translation>本机最快的设备，或 HEDDLE_DEVICE 指定的设备</translation>
    </message>
    <message>
        <source>It lacks %1</source>
        <translation>缺少 %1</translation>
    </message>
</context>
<context>
    <name>app::DirectEditor</name>
    <message>
        <source>Brush (B); the right button erases</source>
        <translation>画笔 (B)；右键擦除</translation>
    </message>
    <message>
        <source>Eraser (E)</source>
        <translation>橡皮擦 (E)</translation>
    </message>
    <message>
        <source>Lasso (L)</source>
        <translation>套索 (L)</translation>
    </message>
    <message>
        <source>Rectangle (R); Shift: a square</source>
        <translation>矩形 (R)；Shift：正方形</translation>
    </message>
    <message>
        <source>Ellipse (O); Shift: a circle</source>
        <translation>椭圆 (O)；Shift：圆形</translation>
    </message>
    <message>
        <source>Gradient (G), from nothing to everything</source>
        <translation>渐变 (G)，从无到全部</translation>
    </message>
    <message>
        <source>Fill (F) what is enclosed</source>
        <translation>填充封闭区域 (F)</translation>
    </message>
    <message>
        <source>Take away instead of adding</source>
        <translation>减去而不是添加</translation>
    </message>
    <message>
        <source>Remove all strokes</source>
        <translation>移除所有笔画</translation>
    </message>
    <message>
        <source>Another colour to show the mask in</source>
        <translation>换一种颜色显示蒙版</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Radius of the brush, in pixels of the picture ([ and ])</source>
        <translation>画笔半径，以图片像素为单位（[ 和 ]）</translation>
    </message>
    <message>
        <source>Hard</source>
        <translation>硬度</translation>
    </message>
    <message>
        <source>Hardness of its edge ({ and })</source>
        <translation>边缘硬度（{ 和 }）</translation>
    </message>
    <message>
        <source>Strength</source>
        <translation>强度</translation>
    </message>
    <message>
        <source>How strongly it covers (digits)</source>
        <translation>覆盖强度（数字键）</translation>
    </message>
    <message>
        <source>Add a person of 18 points</source>
        <translation>添加 18 个关键点的人物</translation>
    </message>
    <message>
        <source>Add a person of 25 points, with feet</source>
        <translation>添加 25 个关键点（含脚）的人物</translation>
    </message>
    <message>
        <source>Remove the person that was touched last</source>
        <translation>移除最后操作的人物</translation>
    </message>
    <message numerus="yes">
        <source>%n stroke(s)</source>
        <translation>
            <numerusform>%n 个笔画</numerusform>
        </translation>
    </message>
    <message>
        <source>The points come from a file: clear it to edit them here</source>
        <translation>关键点来自文件：清除文件后可在此编辑</translation>
    </message>
    <message numerus="yes">
        <source>%n person(s); drag points, Shift moves all, right click hides</source>
        <translation>
            <numerusform>%n 个人物；拖动关键点，Shift 移动全部，右键隐藏</numerusform>
        </translation>
    </message>
    <message>
        <source>Drag the sides, corners or the box</source>
        <translation>拖动边、角或整个方框</translation>
    </message>
    <message>
        <source>Run once to see the picture under it</source>
        <translation>运行一次即可看到下面的图片</translation>
    </message>
    <message>
        <source>Drag the box</source>
        <translation>拖动方框</translation>
    </message>
    <message>
        <source>Drag the picture, a corner to scale it, the knob to turn it (Shift: by 15°)</source>
        <translation>拖动图片；拖角缩放，拖上方圆点旋转（Shift：每次 15°）</translation>
    </message>
</context>
<context>
    <name>app::DrawnEditor</name>
    <message>
        <source>Clear</source>
        <translation>清除</translation>
    </message>
    <message numerus="yes">
        <source>%n stroke(s), drawn on the picture</source>
        <translation>
            <numerusform>%n 个笔画，绘于图片上</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>app::FindBar</name>
    <message>
        <source>Find nodes</source>
        <translation>查找节点</translation>
    </message>
    <message>
        <source>Previous</source>
        <translation>上一个</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>下一个</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>第 %1 个，共 %2 个</translation>
    </message>
</context>
<context>
    <name>app::FrameBar</name>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>帧</translation>
    </message>
</context>
<context>
    <name>app::FrameTitleEdit</name>
    <message>
        <source>Title of the frame</source>
        <translation>框的标题</translation>
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
    <name>app::GraphChange</name>
    <message>
        <source>new: %1</source>
        <translation>新增：%1</translation>
    </message>
    <message>
        <source>on: %1</source>
        <translation>启用：%1</translation>
    </message>
    <message>
        <source>muted: %1</source>
        <translation>静音：%1</translation>
    </message>
    <message>
        <source>bypassed: %1</source>
        <translation>旁路：%1</translation>
    </message>
    <message>
        <source>rewired: %1</source>
        <translation>重新连接：%1</translation>
    </message>
    <message>
        <source>removed: %1</source>
        <translation>移除：%1</translation>
    </message>
    <message numerus="yes">
        <source>%n more</source>
        <translation>
            <numerusform>另有 %n 个</numerusform>
        </translation>
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
        <source>This program does not know node type &quot;%1&quot;. It is kept as it is.</source>
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
        <translation>
            <numerusform>移除 %n 条连线</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Remove %n node(s)</source>
        <translation>
            <numerusform>移除 %n 个节点</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Dissolve %n node(s)</source>
        <translation>
            <numerusform>溶解 %n 个节点</numerusform>
        </translation>
    </message>
    <message>
        <source>Insert into a wire</source>
        <translation>插入连线</translation>
    </message>
    <message numerus="yes">
        <source>Move %n node(s)</source>
        <translation>
            <numerusform>移动 %n 个节点</numerusform>
        </translation>
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
        <translation>
            <numerusform>静音 %n 个节点</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Bypass %n node(s)</source>
        <translation>
            <numerusform>旁路 %n 个节点</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Switch on %n node(s)</source>
        <translation>
            <numerusform>启用 %n 个节点</numerusform>
        </translation>
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
    <message numerus="yes">
        <source>Frame %n node(s)</source>
        <translation>
            <numerusform>为 %n 个节点加框</numerusform>
        </translation>
    </message>
    <message>
        <source>Remove a frame</source>
        <translation>移除框</translation>
    </message>
    <message>
        <source>Name a frame</source>
        <translation>命名框</translation>
    </message>
    <message>
        <source>Colour a frame</source>
        <translation>设置框的颜色</translation>
    </message>
    <message numerus="yes">
        <source>Colour %n node(s)</source>
        <translation>
            <numerusform>设置 %n 个节点的颜色</numerusform>
        </translation>
    </message>
    <message>
        <source>Resize a frame</source>
        <translation>调整框大小</translation>
    </message>
    <message>
        <source>Take out of a frame</source>
        <translation>移出框</translation>
    </message>
    <message>
        <source>Put into a frame</source>
        <translation>放入框</translation>
    </message>
</context>
<context>
    <name>app::GraphScene</name>
    <message>
        <source>Results hold %1</source>
        <translation>结果占用 %1</translation>
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
    <message>
        <source>Select one node to connect it</source>
        <translation>请选择一个节点进行连接</translation>
    </message>
    <message>
        <source>Select a frame, or a node in one, to change its size</source>
        <translation>请选择一个框或框中的节点来改变框的大小</translation>
    </message>
</context>
<context>
    <name>app::HistogramView</name>
    <message>
        <source>Histogram</source>
        <translation>直方图</translation>
    </message>
    <message>
        <source>Below black: %1 % of the pixels
Above white: %2 %</source>
        <translation>低于黑色：%1 % 的像素
高于白色：%2 %</translation>
    </message>
</context>
<context>
    <name>app::HistoryPanel</name>
    <message>
        <source>Results of earlier runs</source>
        <translation>先前运行的结果</translation>
    </message>
    <message>
        <source>Open Its Graph</source>
        <translation>打开其节点图</translation>
    </message>
    <message>
        <source>Forget All</source>
        <translation>全部清除</translation>
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
        <source>run %1, %2</source>
        <translation>第 %1 次运行，%2</translation>
    </message>
    <message>
        <source>%1, took %2. A double click opens its graph.</source>
        <translation>%1，用时 %2。双击打开其节点图。</translation>
    </message>
    <message>
        <source>Open the graph of %1</source>
        <translation>打开 %1 的节点图</translation>
    </message>
</context>
<context>
    <name>app::KeyBindings</name>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
</context>
<context>
    <name>app::KeysDialog</name>
    <message>
        <source>&amp;Assign</source>
        <translation>指定(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Clear</source>
        <translation>清除(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Reset</source>
        <translation>重置(&amp;R)</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Search commands or keys</source>
        <translation>搜索命令或按键</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>Id</source>
        <translation>标识</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>New keys</source>
        <translation>新按键</translation>
    </message>
    <message>
        <source>Reset A&amp;ll</source>
        <translation>全部重置(&amp;L)</translation>
    </message>
    <message>
        <source>%1 belongs to: %2. Assigning takes it from there.</source>
        <translation>%1 已属于：%2。指定后将从那里取走。</translation>
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
    <message>
        <source>Values</source>
        <translation>数值</translation>
    </message>
    <message>
        <source>Times</source>
        <translation>用时</translation>
    </message>
    <message>
        <source>History</source>
        <translation>历史</translation>
    </message>
    <message>
        <source>Documentation</source>
        <translation>文档</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>&amp;Documentation of the Node</source>
        <translation>节点文档(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Pause</source>
        <translation>暂停(&amp;P)</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>队列</translation>
    </message>
    <message>
        <source>%1, waiting: %2</source>
        <translation>%1，等待中：%2</translation>
    </message>
    <message>
        <source>C&amp;lear Queue</source>
        <translation>清空队列(&amp;L)</translation>
    </message>
    <message>
        <source>There is no picture to take a colour from: run the graph, or select a node with a picture</source>
        <translation>没有可以取色的图像：请运行图，或选择一个有图像的节点</translation>
    </message>
    <message>
        <source>A run is not done yet. Close and end it?</source>
        <translation>有一个运行尚未完成。要关闭并结束它吗？</translation>
    </message>
    <message>
        <source>A run is not done yet. Waiting: %1. Close and end them?</source>
        <translation>有一个运行尚未完成。等待中：%1。要关闭并结束它们吗？</translation>
    </message>
    <message>
        <source>another file is being opened or saved</source>
        <translation>正在打开或保存另一个文件</translation>
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
    <name>app::Minimap</name>
    <message>
        <source>Overview of the graph</source>
        <translation>节点图总览</translation>
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
    <message>
        <source>Take a colour from the picture</source>
        <translation>从图像取色</translation>
    </message>
    <message>
        <source>Colour as #rrggbb or #rrggbbaa</source>
        <translation>颜色，写作 #rrggbb 或 #rrggbbaa</translation>
    </message>
</context>
<context>
    <name>app::ParamPanel</name>
    <message numerus="yes">
        <source>%n nodes selected</source>
        <translation>
            <numerusform>已选择 %n 个节点</numerusform>
        </translation>
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
        <source>How the document and --set call this node: letters, digits, &apos;_&apos; and &apos;-&apos;</source>
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
        <source>Compute by an Expression</source>
        <translation>用表达式计算</translation>
    </message>
    <message>
        <source>Computed: numbers, + - * / % ^, min, max, round and others, and parameters and lists as NODE.name</source>
        <translation>计算：数字、+ - * / % ^、min、max、round 等，以及写作 NODE.name 的参数和列表</translation>
    </message>
    <message>
        <source>An output of a list, as NODE.name</source>
        <translation>列表的一个输出，写作 NODE.name</translation>
    </message>
    <message>
        <source>Follow a List</source>
        <translation>跟随列表</translation>
    </message>
    <message>
        <source>Presets: values saved under a name</source>
        <translation>预设：以名称保存的参数值</translation>
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
        <source>A</source>
        <translation>A</translation>
    </message>
    <message>
        <source>B</source>
        <translation>B</translation>
    </message>
    <message>
        <source>x %1  y %2    %3</source>
        <translation>x %1  y %2    %3</translation>
    </message>
</context>
<context>
    <name>app::PresetMenu</name>
    <message>
        <source>Save as Preset</source>
        <translation>另存为预设</translation>
    </message>
    <message>
        <source>Name of the preset; one of that name is replaced:</source>
        <translation>预设名称；同名预设将被替换：</translation>
    </message>
    <message>
        <source>No presets of this kind of node yet</source>
        <translation>此类节点还没有预设</translation>
    </message>
    <message>
        <source>&amp;Save as Preset...</source>
        <translation>另存为预设(&amp;S)...</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>移除(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Presets</source>
        <translation>预设(&amp;P)</translation>
    </message>
    <message>
        <source>Left as they were, for they name nodes that this graph lacks: %1</source>
        <translation>保持不变，因为它们引用了此图中没有的节点：%1</translation>
    </message>
</context>
<context>
    <name>app::Presets</name>
    <message>
        <source>Apply preset %1</source>
        <translation>应用预设 %1</translation>
    </message>
</context>
<context>
    <name>app::PromptEditor</name>
    <message>
        <source>A prompt. Ctrl+Up and Ctrl+Down change the weight of the selected words.</source>
        <translation>提示词。Ctrl+上 和 Ctrl+下 改变所选词语的权重。</translation>
    </message>
    <message>
        <source>%1 / %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message numerus="yes">
        <source>, %n chunks</source>
        <translation>
            <numerusform>，%n 段</numerusform>
        </translation>
    </message>
    <message>
        <source> (estimate)</source>
        <translation>（估计）</translation>
    </message>
    <message>
        <source>, not known: %1</source>
        <translation>，未知：%1</translation>
    </message>
    <message>
        <source>Tokens: %1</source>
        <translation>词元：%1</translation>
    </message>
    <message>
        <source>Tokens of the longest line</source>
        <translation>最长一行的词元数，</translation>
    </message>
    <message>
        <source>Tokens of the prompt</source>
        <translation>提示词的词元数，</translation>
    </message>
    <message>
        <source>with start and end, of those that the text encoder takes.</source>
        <translation>含起止标记，后为文本编码器可容纳的数目。</translation>
    </message>
    <message>
        <source>Counted by the encoder that is connected.</source>
        <translation>由所连接的编码器计数。</translation>
    </message>
    <message>
        <source>Counted by a vocabulary at hand: once the graph has run, the encoder&apos;s own is used.</source>
        <translation>用现有词表估计：图运行过后改用编码器自己的词表。</translation>
    </message>
</context>
<context>
    <name>app::QueuePanel</name>
    <message>
        <source>Pause the run that goes</source>
        <translation>暂停正在进行的运行</translation>
    </message>
    <message>
        <source>Cancel the selected run (Delete)</source>
        <translation>取消所选运行 (Delete)</translation>
    </message>
    <message>
        <source>Earlier (Ctrl+Up)</source>
        <translation>提前 (Ctrl+上)</translation>
    </message>
    <message>
        <source>Later (Ctrl+Down)</source>
        <translation>推后 (Ctrl+下)</translation>
    </message>
    <message>
        <source>Remove all runs that wait</source>
        <translation>移除所有等待中的运行</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>清除</translation>
    </message>
    <message>
        <source>Runs that go and wait</source>
        <translation>正在进行和等待中的运行</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>运行</translation>
    </message>
    <message>
        <source>Nodes</source>
        <translation>节点</translation>
    </message>
    <message>
        <source>Changed</source>
        <translation>改动</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>all</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>waits</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>paused, %1 of %2 nodes</source>
        <translation>已暂停，%1/%2 个节点</translation>
    </message>
    <message>
        <source>runs, %1 of %2 nodes</source>
        <translation>运行中，%1/%2 个节点</translation>
    </message>
</context>
<context>
    <name>app::ReferencePanel</name>
    <message>
        <source>Find a node</source>
        <translation>查找节点</translation>
    </message>
    <message>
        <source>Find a node in the documentation</source>
        <translation>在文档中查找节点</translation>
    </message>
    <message>
        <source>Documentation of nodes</source>
        <translation>节点文档</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>后退</translation>
    </message>
    <message>
        <source>Forward</source>
        <translation>前进</translation>
    </message>
    <message>
        <source>No node is found by “%1”.</source>
        <translation>没有找到与“%1”匹配的节点。</translation>
    </message>
</context>
<context>
    <name>app::RunQueue</name>
    <message>
        <source>Untitled</source>
        <translation>未命名</translation>
    </message>
    <message numerus="yes">
        <source>%n more</source>
        <translation>
            <numerusform>另有 %n 个</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>app::SchedulePlot</name>
    <message>
        <source>Noise levels of the schedule</source>
        <translation>调度的噪声级别</translation>
    </message>
    <message>
        <source>end: σ %1</source>
        <translation>结束：σ %1</translation>
    </message>
    <message>
        <source>call %1 of %2: σ %3, timestep %4</source>
        <translation>第 %1 次调用，共 %2 次：σ %3，时间步 %4</translation>
    </message>
    <message>
        <source>σ %1</source>
        <translation>σ %1</translation>
    </message>
    <message numerus="yes">
        <source>%n calls</source>
        <translation>
            <numerusform>%n 次调用</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>app::SearchPopup</name>
    <message>
        <source>Search nodes</source>
        <translation>搜索节点</translation>
    </message>
    <message>
        <source>Ctrl+D makes the chosen node a favourite, or no longer one</source>
        <translation>Ctrl+D 将所选节点加入或移出收藏</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>收藏</translation>
    </message>
    <message>
        <source>All others</source>
        <translation>其他</translation>
    </message>
    <message>
        <source>favourite</source>
        <translation>收藏</translation>
    </message>
</context>
<context>
    <name>app::StreetEditor</name>
    <message>
        <source>Above</source>
        <translation>俯视</translation>
    </message>
    <message>
        <source>Show the street from above</source>
        <translation>从上方查看街道</translation>
    </message>
    <message>
        <source>3-D</source>
        <translation>三维</translation>
    </message>
    <message>
        <source>Show the street in three dimensions</source>
        <translation>以三维方式查看街道</translation>
    </message>
    <message>
        <source>Select</source>
        <translation>选择</translation>
    </message>
    <message>
        <source>Choose and move things (Escape)</source>
        <translation>选择并移动物体（Escape）</translation>
    </message>
    <message>
        <source>Box</source>
        <translation>方框</translation>
    </message>
    <message>
        <source>Put boxes on the street: a press for each</source>
        <translation>在街道上放置方框：每按一次放一个</translation>
    </message>
    <message>
        <source>Lane</source>
        <translation>车道</translation>
    </message>
    <message>
        <source>Draw lanes and areas: a press for each point, Return or a double click at the end, the right button takes one back</source>
        <translation>绘制车道和区域：每按一次加一个点，以回车或双击结束，右键撤回一个点</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>类别</translation>
    </message>
    <message>
        <source>Class of what is drawn, or of what is chosen</source>
        <translation>所绘内容或所选内容的类别</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Remove what is chosen (Delete)</source>
        <translation>移除所选内容（Delete）</translation>
    </message>
    <message>
        <source> m</source>
        <translation> 米</translation>
    </message>
    <message>
        <source>X</source>
        <translation>X</translation>
    </message>
    <message>
        <source>To the right of the LiDAR</source>
        <translation>激光雷达右侧的距离</translation>
    </message>
    <message>
        <source>Y</source>
        <translation>Y</translation>
    </message>
    <message>
        <source>Ahead of the LiDAR</source>
        <translation>激光雷达前方的距离</translation>
    </message>
    <message>
        <source>Z</source>
        <translation>Z</translation>
    </message>
    <message>
        <source>Above the LiDAR</source>
        <translation>激光雷达上方的距离</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽</translation>
    </message>
    <message>
        <source>Width; of a lane 0 is a line, or the area inside its points</source>
        <translation>宽度；车道为 0 时是一条线，或各点围成的区域</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>长</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高</translation>
    </message>
    <message>
        <source>Yaw</source>
        <translation>偏航</translation>
    </message>
    <message>
        <source>Direction: 0 to the right, 90 ahead, counterclockwise seen from above</source>
        <translation>方向：0 向右，90 向前，从上方看逆时针为正</translation>
    </message>
    <message>
        <source>Pitch</source>
        <translation>俯仰</translation>
    </message>
    <message>
        <source>How far the camera looks up</source>
        <translation>相机向上看的角度</translation>
    </message>
    <message>
        <source>Roll</source>
        <translation>滚转</translation>
    </message>
    <message>
        <source>How far the camera is turned clockwise, seen from behind</source>
        <translation>从后方看相机顺时针转动的角度</translation>
    </message>
    <message>
        <source>Press where a box is to be</source>
        <translation>在要放置方框的地方按下</translation>
    </message>
    <message>
        <source>Press for each point; Return ends</source>
        <translation>每按一次加一个点；回车结束</translation>
    </message>
    <message>
        <source>Camera %1: add a node of cameras to move it</source>
        <translation>相机 %1：添加相机节点后才能移动</translation>
    </message>
    <message>
        <source>Camera %1</source>
        <translation>相机 %1</translation>
    </message>
    <message>
        <source>There is no street: these are the cameras alone</source>
        <translation>没有街道：这里只有相机</translation>
    </message>
    <message numerus="yes">
        <source>%n box(es)</source>
        <translation>
            <numerusform>%n 个方框</numerusform>
        </translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>相机</translation>
    </message>
    <message>
        <source>Put cameras: press where one is to be, and drag to where it looks (Insert: beside the chosen one)</source>
        <translation>放置相机：在相机的位置按下，再拖向它所看的方向（Insert：在所选相机旁）</translation>
    </message>
    <message>
        <source>Press where a camera is to be, and drag to where it looks</source>
        <translation>在相机的位置按下，再拖向它所看的方向</translation>
    </message>
    <message>
        <source>Add a node of cameras to put one</source>
        <translation>添加相机节点后才能放置相机</translation>
    </message>
</context>
<context>
    <name>app::StreetModel</name>
    <message>
        <source>It is computed by an expression</source>
        <translation>它由表达式计算</translation>
    </message>
</context>
<context>
    <name>app::StreetPlan</name>
    <message>
        <source>Street from above</source>
        <translation>从上方看的街道</translation>
    </message>
    <message>
        <source>%1 m</source>
        <translation>%1 米</translation>
    </message>
    <message>
        <source>Drag boxes, lanes, cameras and their handles; nothing moves the view, the wheel zooms. Keys: Page Up and Page Down choose, arrows move (Shift: far), [ and ] turn, comma and full stop tilt a camera, Insert adds a camera, Delete removes, plus and minus zoom, Home shows everything.</source>
        <translation>拖动方框、车道、相机及其控制点；拖动空白处移动视图，滚轮缩放。按键：Page Up 和 Page Down 选择，方向键移动（Shift：大步），[ 和 ] 转动，逗号和句号使相机俯仰，Insert 添加相机，Delete 移除，加号和减号缩放，Home 显示全部。</translation>
    </message>
</context>
<context>
    <name>app::StreetSpace</name>
    <message>
        <source>Street in three dimensions</source>
        <translation>三维街道</translation>
    </message>
    <message>
        <source>Drag boxes and cameras (Shift: up and down) and the handle that turns them; nothing turns the view, the right button moves it, the wheel zooms. Keys: Page Up and Page Down choose, arrows move or turn the view where nothing is chosen, [ and ] turn, comma and full stop tilt a camera, Insert adds a camera, Delete removes, plus and minus zoom, Home looks from behind.</source>
        <translation>拖动方框和相机（Shift：上下）以及转动它们的控制点；拖动空白处转动视图，右键移动视图，滚轮缩放。按键：Page Up 和 Page Down 选择，方向键移动，未选择时转动视图，[ 和 ] 转动，逗号和句号使相机俯仰，Insert 添加相机，Delete 移除，加号和减号缩放，Home 从后方查看。</translation>
    </message>
</context>
<context>
    <name>app::StreetViews</name>
    <message>
        <source>What each camera sees</source>
        <translation>每个相机看到的画面</translation>
    </message>
</context>
<context>
    <name>app::TimesPanel</name>
    <message>
        <source>edited since</source>
        <translation>之后已编辑</translation>
    </message>
    <message>
        <source>waits</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>runs</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>cached</source>
        <translation>已缓存</translation>
    </message>
    <message>
        <source>done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>in part</source>
        <translation>部分完成</translation>
    </message>
    <message>
        <source>Time and memory of nodes</source>
        <translation>各节点的用时和内存</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>节点</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>类型</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>占比</translation>
    </message>
    <message>
        <source>Memory of results</source>
        <translation>结果占用内存</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 毫秒</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
</context>
<context>
    <name>app::ValuesPanel</name>
    <message>
        <source>Values of the selected node</source>
        <translation>所选节点的数值</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>输出</translation>
    </message>
    <message>
        <source>Tensor</source>
        <translation>张量</translation>
    </message>
    <message>
        <source>Shape</source>
        <translation>形状</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>类型</translation>
    </message>
    <message>
        <source>Least</source>
        <translation>最小</translation>
    </message>
    <message>
        <source>Largest</source>
        <translation>最大</translation>
    </message>
    <message>
        <source>Mean</source>
        <translation>均值</translation>
    </message>
    <message>
        <source>Deviation</source>
        <translation>标准差</translation>
    </message>
    <message>
        <source>NaN</source>
        <translation>NaN</translation>
    </message>
    <message>
        <source>Infinite</source>
        <translation>无穷</translation>
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
    <message>
        <source>Keep this picture as A, to compare others with it</source>
        <translation>将此图片保留为 A，用于与其他图片比较</translation>
    </message>
    <message>
        <source>A and this picture beside a line that can be dragged</source>
        <translation>以可拖动的分界线并排显示 A 与此图片</translation>
    </message>
    <message>
        <source>How far A and this picture are apart</source>
        <translation>A 与此图片的差异</translation>
    </message>
    <message>
        <source>A mask in colour over the other picture</source>
        <translation>以颜色将蒙版叠加在另一图片上</translation>
    </message>
    <message>
        <source>Channels, exposure, gamma, histogram</source>
        <translation>通道、曝光、伽马、直方图</translation>
    </message>
    <message>
        <source>Channel</source>
        <translation>通道</translation>
    </message>
    <message>
        <source>Channel; of latents and tensors red, green, blue and alpha are the first four</source>
        <translation>通道；对潜空间和张量，红、绿、蓝、透明度为前四个通道</translation>
    </message>
    <message>
        <source>RGB</source>
        <translation>RGB</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>红</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>绿</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>蓝</translation>
    </message>
    <message>
        <source>Alpha</source>
        <translation>透明度</translation>
    </message>
    <message>
        <source>Luminance</source>
        <translation>亮度</translation>
    </message>
    <message>
        <source> stops</source>
        <translation> 挡</translation>
    </message>
    <message>
        <source>Exposure: colours are multiplied by 2 to this power</source>
        <translation>曝光：颜色乘以 2 的此次幂</translation>
    </message>
    <message>
        <source>γ </source>
        <translation>γ </translation>
    </message>
    <message>
        <source>Gamma: v to the power of one by this is shown</source>
        <translation>伽马：显示 v 的 1/γ 次幂</translation>
    </message>
    <message>
        <source>Range</source>
        <translation>范围</translation>
    </message>
    <message>
        <source>The least value black and the largest white: for depth, latents and tensors</source>
        <translation>最小值为黑、最大值为白：用于深度、潜空间和张量</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>重置</translation>
    </message>
    <message>
        <source>As it is</source>
        <translation>恢复原样</translation>
    </message>
    <message>
        <source>Run the graph once to see the picture here</source>
        <translation>运行一次节点图即可在此看到图片</translation>
    </message>
    <message>
        <source>Add a person to begin</source>
        <translation>添加人物以开始</translation>
    </message>
    <message>
        <source>canvas</source>
        <translation>画布</translation>
    </message>
    <message>
        <source>No picture yet</source>
        <translation>还没有图片</translation>
    </message>
    <message>
        <source>A: %1</source>
        <translation>A：%1</translation>
    </message>
    <message>
        <source>Keep this picture as A, to compare others with it. Now: %1</source>
        <translation>将此图片保留为 A，用于与其他图片比较。当前：%1</translation>
    </message>
    <message>
        <source>A  </source>
        <translation>A  </translation>
    </message>
    <message>
        <source>Street</source>
        <translation>街道</translation>
    </message>
</context>
</TS>
