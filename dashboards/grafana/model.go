package grafana

// schemaVersion is the form of dashboard that this package writes: the newest classic one,
// which Grafana 12 and later read as it is. An older Grafana reads it with a warning.
const schemaVersion = 42

// What follows is the part of Grafana's dashboard model that is used here, by its names.

type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Timezone      string      `json:"timezone"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"`
	SchemaVersion int         `json:"schemaVersion"`
	Refresh       string      `json:"refresh"`
	Time          timeRange   `json:"time"`
	Links         []link      `json:"links"`
	Annotations   annotations `json:"annotations"`
	Templating    templating  `json:"templating"`
	Panels        []panel     `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type annotations struct {
	List []struct{} `json:"list"`
}

type templating struct {
	List []variable `json:"list"`
}

// link leads to the other dashboards of a tag.
type link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	TargetBlank bool     `json:"targetBlank"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

type variable struct {
	Type        string    `json:"type"`
	Name        string    `json:"name"`
	Label       string    `json:"label"`
	Description string    `json:"description"`
	Datasource  *ref      `json:"datasource,omitempty"`
	Query       string    `json:"query"`
	Definition  string    `json:"definition,omitempty"`
	Refresh     int       `json:"refresh,omitempty"`
	Sort        int       `json:"sort,omitempty"`
	Multi       bool      `json:"multi,omitempty"`
	IncludeAll  bool      `json:"includeAll,omitempty"`
	AllValue    string    `json:"allValue,omitempty"`
	Current     *option   `json:"current,omitempty"`
	Options     *[]option `json:"options,omitempty"`
}

type option struct {
	Selected bool `json:"selected"`
	// Text and Value are a string, or several.
	Text  any `json:"text"`
	Value any `json:"value"`
}

type ref struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID          int         `json:"id"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	GridPos     gridPos     `json:"gridPos"`
	Datasource  ref         `json:"datasource"`
	Interval    string      `json:"interval,omitempty"`
	Targets     []target    `json:"targets"`
	FieldConfig fieldConfig `json:"fieldConfig"`
	Options     any         `json:"options"`
}

type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type target struct {
	RefID      string `json:"refId"`
	Datasource ref    `json:"datasource"`
	Query      string `json:"query"`
}

type fieldConfig struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type field struct {
	DisplayName string      `json:"displayName,omitempty"`
	Unit        string      `json:"unit,omitempty"`
	Decimals    *int        `json:"decimals,omitempty"`
	Min         *int        `json:"min,omitempty"`
	NoValue     string      `json:"noValue,omitempty"`
	Color       *color      `json:"color,omitempty"`
	Mappings    []mapping   `json:"mappings,omitempty"`
	Thresholds  *thresholds `json:"thresholds,omitempty"`
	Custom      *custom     `json:"custom,omitempty"`
}

type color struct {
	Mode       string `json:"mode"`
	FixedColor string `json:"fixedColor,omitempty"`
}

type mapping struct {
	Type    string                   `json:"type"`
	Options map[string]mappingResult `json:"options"`
}

type mappingResult struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Index int    `json:"index"`
}

type thresholds struct {
	Mode  string      `json:"mode"`
	Steps []threshold `json:"steps"`
}

type threshold struct {
	Color string `json:"color"`
	// Value is from where on the colour holds; nil for the lowest.
	Value *float64 `json:"value"`
}

// custom is how a time series is drawn.
type custom struct {
	DrawStyle   string    `json:"drawStyle,omitempty"`
	LineWidth   int       `json:"lineWidth"`
	FillOpacity int       `json:"fillOpacity"`
	ShowPoints  string    `json:"showPoints,omitempty"`
	SpanNulls   bool      `json:"spanNulls,omitempty"`
	Stacking    *stacking `json:"stacking,omitempty"`
}

type stacking struct {
	Mode  string `json:"mode"`
	Group string `json:"group"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type legend struct {
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	Calcs       []string `json:"calcs"`
}

type tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

type lineOptions struct {
	Legend  legend  `json:"legend"`
	Tooltip tooltip `json:"tooltip"`
}

type timelineOptions struct {
	ShowValue   string  `json:"showValue"`
	RowHeight   float64 `json:"rowHeight"`
	MergeValues bool    `json:"mergeValues"`
	AlignValue  string  `json:"alignValue"`
	Legend      legend  `json:"legend"`
	Tooltip     tooltip `json:"tooltip"`
}

type statOptions struct {
	GraphMode              string `json:"graphMode"`
	ColorMode              string `json:"colorMode"`
	JustifyMode            string `json:"justifyMode"`
	TextMode               string `json:"textMode"`
	WideLayout             bool   `json:"wideLayout"`
	ShowPercentChange      bool   `json:"showPercentChange"`
	PercentChangeColorMode string `json:"percentChangeColorMode"`
	Orientation            string `json:"orientation"`
	ReduceOptions          reduce `json:"reduceOptions"`
}

type reduce struct {
	Values bool     `json:"values"`
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
}

type tableOptions struct {
	FrameIndex int    `json:"frameIndex"`
	ShowHeader bool   `json:"showHeader"`
	CellHeight string `json:"cellHeight"`
	SortBy     []sort `json:"sortBy,omitempty"`
}

type sort struct {
	DisplayName string `json:"displayName"`
	Desc        bool   `json:"desc"`
}
