// The map's marks, drawn on a canvas in the theme's colours: no sprite is fetched.

import type { Priority } from '../lib/types';
import type { Palette } from './palette';

export const PIXEL_RATIO = 2;
/** On a grid of 16, as in the console's own icons. */
const HANDSET =
  'M5.7 2.5 4 2.7A1.7 1.7 0 0 0 2.5 4.5c.3 4.9 4.1 8.7 9 9a1.7 1.7 0 0 0 1.8-1.5l.2-1.7-3-1.3-1.3 1.3a7.5 7.5 0 0 1-3.5-3.5L7 5.5z';
const FONT = 'Inter, system-ui, sans-serif';

export interface Icon {
  name: string;
  image: ImageData;
}

type Draw = (context: CanvasRenderingContext2D) => void;

/** Draw on a square whose middle is the origin, in CSS pixels. */
function draw(name: string, sizePx: number, paint: Draw): Icon {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = sizePx * PIXEL_RATIO;
  // Kept in memory: reading a canvas back from the GPU holds the page up, a mark at a time.
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser has no 2-D canvas');
  context.scale(PIXEL_RATIO, PIXEL_RATIO);
  context.translate(sizePx / 2, sizePx / 2);
  paint(context);
  return { name, image: context.getImageData(0, 0, canvas.width, canvas.height) };
}

/** Diamond, triangle, square, circle, `grow` px larger than the mark itself. */
function shape(context: CanvasRenderingContext2D, priority: Priority, grow: number): void {
  context.beginPath();
  if (priority === 1) {
    const half = 12.5 + grow * 1.414;
    polygon(context, [0, -half, half, 0, 0, half, -half, 0]);
  } else if (priority === 2) {
    const g = grow;
    polygon(context, [0, -14 - 2 * g, 13.5 + 1.73 * g, 10 + g, -13.5 - 1.73 * g, 10 + g]);
  } else if (priority === 3) {
    const half = 10.75 + grow;
    context.roundRect(-half, -half, 2 * half, 2 * half, 3);
  } else {
    context.arc(0, 0, 11.5 + grow, 0, 2 * Math.PI);
  }
}

function polygon(context: CanvasRenderingContext2D, points: readonly number[]): void {
  for (let i = 0; i < points.length; i += 2) context.lineTo(points[i]!, points[i + 1]!);
  context.closePath();
}

function digit(context: CanvasRenderingContext2D, priority: Priority, colour: string): void {
  context.font = `700 13px ${FONT}`;
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  context.fillStyle = colour;
  context.fillText(String(priority), 0, priority === 2 ? 6 : 4.7);
}

function priorityIcons(priority: Priority, palette: Palette): Icon[] {
  const colour = palette.priority[priority];
  const solid: Draw = (context) => {
    context.lineJoin = 'round';
    shape(context, priority, 0);
    // A rim in the ground's colour keeps neighbours apart.
    context.strokeStyle = palette.halo;
    context.lineWidth = 4;
    context.stroke();
    context.fillStyle = context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
    digit(context, priority, palette.onMark);
  };
  return [
    draw(`p${priority}`, 56, solid),
    draw(`p${priority}-selected`, 56, (context) => {
      context.lineJoin = 'round';
      shape(context, priority, 4.5);
      context.strokeStyle = palette.halo;
      context.lineWidth = 5;
      context.stroke();
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.stroke();
      solid(context);
    }),
    draw(`p${priority}-quiet`, 56, (context) => {
      context.scale(0.62, 0.62);
      context.lineJoin = 'round';
      shape(context, priority, 0);
      context.fillStyle = palette.halo;
      context.fill();
      context.strokeStyle = colour;
      context.lineWidth = 2.75;
      context.stroke();
    }),
  ];
}

function cameraIcon(
  name: string,
  colour: string,
  palette: Palette,
  kind: 'idle' | 'watching' | 'sick' | 'blind',
): Icon {
  return draw(name, 36, (context) => {
    context.lineJoin = context.lineCap = 'round';
    const nose = () => {
      context.beginPath();
      polygon(
        context,
        kind === 'watching' ? [-5, -4, 0, -12.5, 5, -4] : [-4.4, -4.5, 0, -11.5, 4.4, -4.5],
      );
    };
    const dot = () => {
      context.beginPath();
      context.arc(0, 0, kind === 'watching' ? 6.5 : 5, 0, 2 * Math.PI);
    };
    context.strokeStyle = palette.halo;
    context.lineWidth = 5;
    dot();
    context.stroke();
    if (kind !== 'blind') {
      nose();
      context.lineWidth = 4;
      context.stroke();
    }
    context.fillStyle = context.strokeStyle = colour;
    if (kind !== 'blind') {
      nose();
      context.fill();
    }
    dot();
    if (kind === 'watching') {
      context.fill();
      return;
    }
    context.fillStyle = palette.halo;
    context.fill();
    context.lineWidth = 1.75;
    if (kind === 'sick') context.setLineDash([0.1, 3.05]);
    context.stroke();
  });
}

function callerIcon(palette: Palette): Icon {
  return draw('caller', 28, (context) => {
    context.beginPath();
    context.arc(0, 0, 9, 0, 2 * Math.PI);
    context.strokeStyle = palette.halo;
    context.lineWidth = 3;
    context.stroke();
    context.fillStyle = palette.caller;
    context.fill();
    context.scale(0.72, 0.72);
    context.translate(-8, -8);
    context.fillStyle = palette.onMark;
    context.fill(new Path2D(HANDSET));
  });
}

function pickIcon(palette: Palette): Icon {
  return draw('pick', 40, (context) => {
    context.strokeStyle = palette.teal;
    context.lineCap = 'round';
    context.lineWidth = 2;
    context.beginPath();
    context.arc(0, 0, 7, 0, 2 * Math.PI);
    for (const [x, y] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      context.moveTo(x * 7, y * 7);
      context.lineTo(x * 14, y * 14);
    }
    context.stroke();
  });
}

/** A line through the middle of a label, stretched to its width. */
function strikeIcon(palette: Palette): Icon {
  return draw('strike', 12, (context) => {
    context.fillStyle = palette.sick;
    context.fillRect(-6, -0.25, 12, 1.25);
  });
}

export function allIcons(palette: Palette): Icon[] {
  const priorities: Priority[] = [1, 2, 3, 4];
  return [
    ...priorities.flatMap((priority) => priorityIcons(priority, palette)),
    cameraIcon('camera-idle', palette.camera, palette, 'idle'),
    cameraIcon('camera-watching', palette.teal, palette, 'watching'),
    cameraIcon('camera-sick', palette.sick, palette, 'sick'),
    cameraIcon('camera-blind', palette.camera, palette, 'blind'),
    callerIcon(palette),
    pickIcon(palette),
    strikeIcon(palette),
  ];
}
