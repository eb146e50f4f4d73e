/** Colours of figures on one ground. Measured and published are Okabe and Ito's blue and vermilion, apart for every kind of eye. */
interface FigureColours {
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly ground: string;
  readonly measured: string;
  readonly published: string;
}

export const LIGHT: FigureColours = {
  ink: '#1b1b1b',
  quiet: '#595959',
  line: '#d9d9d9',
  ground: '#ececec',
  measured: '#0072b2',
  published: '#c24e00',
};

export const DARK: FigureColours = {
  ink: '#ededed',
  quiet: '#a8a8a8',
  line: '#3d3d3d',
  ground: '#2a2a2a',
  measured: '#56b4e9',
  published: '#ff8c42',
};

/** Rules for the classes that figures use; figures themselves name no colour but those of their scale. */
export function figureCss({ ink, quiet, line, ground, measured, published }: FigureColours): string {
  return `
.f-text { fill: ${ink}; font-size: 12px; }
.f-title { fill: ${ink}; font-size: 20px; font-weight: 600; }
.f-strong { fill: ${ink}; font-size: 13px; font-weight: 600; }
.f-quiet { fill: ${quiet}; font-size: 11px; }
.f-small { fill: ${quiet}; font-size: 9px; }
.f-warning { fill: ${published}; font-size: 13px; font-weight: 600; }
.f-end { text-anchor: end; }
.f-middle { text-anchor: middle; }
.f-grid { stroke: ${line}; stroke-width: 1; }
.f-ground { fill: ${ground}; }
.f-outline { fill: none; stroke: ${quiet}; stroke-width: 0.75; }
.f-measured { fill: ${measured}; }
.f-interval { stroke: ${measured}; stroke-width: 2; }
.f-published { fill: none; stroke: ${published}; stroke-width: 2.5; }
.f-dead { fill: none; stroke: #000000; stroke-width: 1.6; }
`;
}
