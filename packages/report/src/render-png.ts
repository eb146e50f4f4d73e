import { fileURLToPath } from 'node:url';
import { renderAsync } from '@resvg/resvg-js';
import { s } from 'hastscript';
import { figureCss, LIGHT } from './charts/figure-style.ts';
import { svgElement, svgText, type Drawing } from './charts/svg.ts';

/** Width of the picture in pixels, for print at 300 dots an inch across a page. */
const PNG_WIDTH = 2400;

/** Source Sans 3 (Adobe, SIL Open Font Licence), from npm: the picture looks the same on a machine without fonts. */
const FONT = 'Source Sans 3';
const FONT_FILES = [
  import.meta.resolve('@expo-google-fonts/source-sans-3/400Regular/SourceSans3_400Regular.ttf'),
  import.meta.resolve('@expo-google-fonts/source-sans-3/600SemiBold/SourceSans3_600SemiBold.ttf'),
];

/** A drawing as PNG, on white. @param width in pixels */
export async function renderPng(
  drawing: Drawing,
  title: string,
  width: number = PNG_WIDTH,
): Promise<Uint8Array> {
  const svg = svgElement(drawing, { id: 'figure', title, description: title });
  const css = `text { font-family: '${FONT}'; }\n.f-page { fill: #ffffff; }\n${figureCss(LIGHT)}`;
  const styled = { ...svg, children: [s('style', css), ...svg.children] };
  const image = await renderAsync(svgText(styled), {
    fitTo: { mode: 'width', value: width },
    font: {
      fontFiles: FONT_FILES.map((file) => fileURLToPath(file)),
      loadSystemFonts: false,
      defaultFontFamily: FONT,
    },
  });
  return image.asPng();
}
