/** A rectangle of whole pixels; the corner is the upper left one. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}
