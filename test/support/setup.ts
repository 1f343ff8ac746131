import {eachTest} from './each_test';

eachTest();
