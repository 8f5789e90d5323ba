import { specsTogether } from '../../src/specs-together.js';

specsTogether(import.meta.filename);
